package dev.jvloop.transport;

import dev.jvloop.capi.Memory;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.ThreadGuard;

/** Offsets, in bytes, of the slots of a pipe transport's Python class: the two classes have no base with slots in common. */
enum PipeLayout {
    READ("ReadPipeTransport"),
    WRITE("WritePipeTransport");

    final long javaHalf;
    final long loop;
    final long protocol;
    final long context;
    private final String className;

    PipeLayout(String className) {
        this.className = className;
        this.javaHalf = slot("_java_half");
        this.loop = slot("_loop");
        this.protocol = slot("_protocol");
        this.context = slot("_context");
    }

    private long slot(String name) {
        return Namespace.integer("slot." + className + "." + name);
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
        if (Memory.getLong(transport + javaHalf) != 0) {
            return ((PipeTransport) halfOf(transport)).loop;
        }
        long pythonLoopOrNull = Memory.getLong(transport + loop);
        return pythonLoopOrNull == 0 ? null : EngineObject.of(pythonLoopOrNull);
    }

    /** The Java half of a Python transport. */
    Object halfOf(long transport) {
        long reference = Memory.getLong(transport + javaHalf);
        if (reference == 0) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "jvloop." + className + ".__init__() was not called");
        }
        return JavaReference.get(reference);
    }
}
