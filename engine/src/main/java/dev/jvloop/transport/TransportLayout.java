package dev.jvloop.transport;

import dev.jvloop.capi.Memory;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Registry;

/** Offsets, in bytes, of the slots of {@code jvloop.StreamTransport}. */
final class TransportLayout {
    static final long ID = Namespace.integer("slot.StreamTransport._id");
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
        long id = Memory.getLong(transport + ID);
        if (id == 0 || id == Py.NONE) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "jvloop.StreamTransport.__init__() was not called");
        }
        return (StreamTransport) Registry.get(Py.smallInt(id));
    }
}
