package dev.jvloop.transport;

import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.Calls;
import dev.jvloop.py.ContextSwitch;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/** How an event reaches a transport: in the transport's context, with its Python half kept alive meanwhile. */
final class EventDelivery {
    /** What handles the event. */
    interface Receiver {
        /** @throws PythonError SystemExit or KeyboardInterrupt out of a protocol, or a failure of the engine's own */
        void serve(int events);
    }

    private EventDelivery() {}

    /**
     * Delivers an event; in debug mode, with a line in the log if that took long, as asyncio logs slow callbacks.
     *
     * @param transport the Python half
     * @param context the contextvars.Context that its protocol runs in
     */
    static void deliver(EventLoop loop, long transport, long context, Receiver receiver, int events) {
        if (!loop.isDebug()) {
            deliverInContext(transport, context, receiver, events);
            return;
        }
        Refs.incref(transport);
        double started = loop.time();
        try {
            deliverInContext(transport, context, receiver, events);
            Calls.run(
                    TransportHelpers.LOG_IF_SLOW,
                    loop.self(),
                    transport,
                    new Calls.Owned(Py.newFloat(loop.time() - started)));
        } finally {
            PyErr.preserving(() -> Refs.decref(transport));
        }
    }

    private static void deliverInContext(long transport, long context, Receiver receiver, int events) {
        Refs.incref(transport);
        long ownedContext = Refs.incref(context);
        if (!ContextSwitch.enter(ownedContext)) {
            Refs.decref(ownedContext);
            Refs.decref(transport);
            throw PythonError.SET;
        }
        long ownedException = 0;
        try {
            receiver.serve(events);
        } catch (PythonError e) {
            ownedException = PyErr.newTaken();
        }
        ContextSwitch.leave(ownedContext);
        Refs.decref(ownedContext);
        Refs.decref(transport);
        if (ownedException != 0) {
            throw PyErr.raiseOwned(ownedException);
        }
    }
}
