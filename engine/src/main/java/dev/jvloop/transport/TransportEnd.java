package dev.jvloop.transport;

import dev.jvloop.py.Names;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/** The end of a transport, which asyncio's {@code _call_connection_lost} is. */
final class TransportEnd {
    private TransportEnd() {}

    /**
     * Calls {@code connection_lost}, has the descriptor given up, and lets go of protocol and loop.
     *
     * @param exception what {@code connection_lost} is told, or None
     * @throws PythonError what {@code connection_lost} or the giving up raised; of two errors the second, with the first
     *     as its context
     */
    static void run(BaseTransport transport, long exception) {
        long ownedRaised = newRaisedByProtocol(transport, exception);
        try {
            transport.abandon();
        } catch (PythonError e) {
            throw ownedRaised == 0 ? e : PyErr.inContextOfOwned(ownedRaised);
        }
        transport.forgetProtocolAndLoop();
        if (ownedRaised != 0) {
            throw PyErr.raiseOwned(ownedRaised);
        }
    }

    /** Calls {@code connection_lost}; a new reference to what it raised, or 0. */
    private static long newRaisedByProtocol(BaseTransport transport, long exception) {
        long ownedProtocol = Refs.incref(transport.protocol());
        long ownedResult = transport.loop.scratch().callMethod(ownedProtocol, Names.CONNECTION_LOST, exception);
        long ownedRaised = ownedResult == 0 ? PyErr.newTaken() : 0;
        Refs.decrefOrNull(ownedResult);
        Refs.decref(ownedProtocol);
        return ownedRaised;
    }
}
