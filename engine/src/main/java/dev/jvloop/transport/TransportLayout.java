package dev.jvloop.transport;

import dev.jvloop.capi.Memory;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.PyErr;

/** Offsets, in bytes, of the slots of {@code jvloop.StreamTransport}. */
final class TransportLayout {
    static final long JAVA_HALF = Namespace.integer("slot.StreamTransport._java_half");
    static final long LOOP = Namespace.integer("slot.StreamTransport._loop");
    static final long PROTOCOL = Namespace.integer("slot.StreamTransport._protocol");
    static final long SERVER = Namespace.integer("slot.StreamTransport._server");
    static final long SOCK = Namespace.integer("slot.StreamTransport._sock");
    static final long EXTRA = Namespace.integer("slot.StreamTransport._extra");
    static final long CONTEXT = Namespace.integer("slot.StreamTransport._context");
    static final long EMPTY_WAITER = Namespace.integer("slot.StreamTransport._empty_waiter");

    static final long PROTOCOL_PAUSED = Namespace.integer("slot.StreamTransport._protocol_paused");

    private TransportLayout() {}

    /** The Java half of a Python transport. */
    static StreamTransport of(long transport) {
        long reference = Memory.getLong(transport + JAVA_HALF);
        if (reference == 0) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "jvloop.StreamTransport.__init__() was not called");
        }
        return (StreamTransport) JavaReference.get(reference);
    }
}
