package dev.jvloop.transport;

import dev.jvloop.foreign.Memory;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.ThreadGuard;

/** Offsets, in bytes, of the slots that every transport's Python class has. */
enum TransportSlots {
    /** Of all that can be written: asyncio gives these a base class with slots of its own. */
    WRITABLE("WritableTransport"),
    READ_PIPE("ReadPipeTransport");

    final long javaHalf;
    final long loop;
    final long protocol;
    final long context;

    TransportSlots(String className) {
        String prefix = "slot." + className + ".";
        this.javaHalf = Namespace.integer(prefix + "_java_half");
        this.loop = Namespace.integer(prefix + "_loop");
        this.protocol = Namespace.integer(prefix + "_protocol");
        this.context = Namespace.integer(prefix + "_context");
    }

    /** The loop of a Python transport that has not ended. */
    EventLoop loopOf(long transport) {
        return EngineObject.of(Memory.getLong(transport + loop));
    }

    /** The Java half of a Python transport. */
    BaseTransport halfOf(long transport) {
        long reference = Memory.getLong(transport + javaHalf);
        if (reference == 0) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, Py.typeName(transport) + ".__init__() was not called");
        }
        return (BaseTransport) JavaReference.get(reference);
    }

    /** Keeps a transport to the thread that has its loop, in free-threaded Python. */
    ThreadGuard.Claim claimOrNull(long transport) {
        EventLoop loopOrNull = loopOrNull(transport);
        return loopOrNull == null ? null : loopOrNull.claimOrNull();
    }

    /** Lets all threads through, for methods that are left to the loop's thread then. */
    ThreadGuard.Claim claimIfFreeOrNull(long transport) {
        EventLoop loopOrNull = loopOrNull(transport);
        return loopOrNull == null ? null : loopOrNull.claimIfFreeOrNull();
    }

    private EventLoop loopOrNull(long transport) {
        // Only a transport that is being made has no Java half yet; only one that has ended has no loop any more.
        if (Memory.getLong(transport + javaHalf) != 0) {
            return halfOf(transport).loop;
        }
        return Memory.getLong(transport + loop) == 0 ? null : loopOf(transport);
    }
}
