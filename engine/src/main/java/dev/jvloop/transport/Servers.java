package dev.jvloop.transport;

import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;

/** {@code asyncio.Server}'s bookkeeping of its connections. */
final class Servers {
    /** From 3.13 the server knows its transports; before, it counts them. */
    private static final boolean TAKES_TRANSPORT = Namespace.integer("Server._attach takes a transport") != 0;

    private Servers() {}

    /** Counts a connection as one of the server's. */
    static void attach(StreamTransport transport, long server) {
        Refs.setSlot(transport.self, TransportLayout.SERVER, Refs.incref(server));
        call(transport, server, Names.ATTACH);
    }

    /** Ends what {@link #attach} began, for a transport whose slot is empty again. */
    static void detach(StreamTransport transport, long server) {
        call(transport, server, Names.DETACH);
    }

    private static void call(StreamTransport transport, long server, long name) {
        var scratch = transport.loop.scratch();
        long ownedResult =
                TAKES_TRANSPORT ? scratch.callMethod(server, name, transport.self) : scratch.callMethod(server, name);
        Refs.decref(PyErr.checked(ownedResult));
    }
}
