package dev.jvloop.transport;

import dev.jvloop.capi.Memory;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.ThreadGuard;

/** Offsets, in bytes, of the slots of {@code jvloop.DatagramTransport}. */
final class DatagramLayout {
    static final long JAVA_HALF = Namespace.integer("slot.DatagramTransport._java_half");
    static final long LOOP = Namespace.integer("slot.DatagramTransport._loop");
    static final long PROTOCOL = Namespace.integer("slot.DatagramTransport._protocol");
    static final long CONTEXT = Namespace.integer("slot.DatagramTransport._context");
    static final long ADDRESS = Namespace.integer("slot.DatagramTransport._address");

    private DatagramLayout() {}

    /** The Java half of a Python transport. */
    static DatagramTransport of(long transport) {
        long reference = Memory.getLong(transport + JAVA_HALF);
        if (reference == 0) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "jvloop.DatagramTransport.__init__() was not called");
        }
        return (DatagramTransport) JavaReference.get(reference);
    }

    /** Keeps a transport to the thread that has its loop, in free-threaded Python. */
    static ThreadGuard.Claim claimOrNull(long transport) {
        return loopOf(transport).claimOrNull();
    }

    /** Lets all threads through, for methods that are left to the loop's thread then. */
    static ThreadGuard.Claim claimIfFreeOrNull(long transport) {
        return loopOf(transport).claimIfFreeOrNull();
    }

    private static EventLoop loopOf(long transport) {
        // Only a transport that is being made has no Java half yet; only one that has ended has no loop any more.
        boolean opened = Memory.getLong(transport + JAVA_HALF) != 0;
        return opened ? of(transport).loop() : EngineObject.of(Memory.getLong(transport + LOOP));
    }
}
