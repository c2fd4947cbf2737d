package dev.jvloop.transport;

import dev.jvloop.py.Namespace;

/** Offsets, in bytes, of the slots of {@code jvloop.StreamTransport}. */
final class TransportLayout {
    static final long LOOP = TransportSlots.WRITABLE.loop;
    static final long PROTOCOL = TransportSlots.WRITABLE.protocol;
    static final long CONTEXT = TransportSlots.WRITABLE.context;
    static final long SERVER = Namespace.integer("slot.StreamTransport._server");
    static final long SOCK = Namespace.integer("slot.StreamTransport._sock");
    static final long EXTRA = Namespace.integer("slot.StreamTransport._extra");
    static final long EMPTY_WAITER = Namespace.integer("slot.StreamTransport._empty_waiter");
    static final long PROTOCOL_PAUSED = Namespace.integer("slot.StreamTransport._protocol_paused");

    private TransportLayout() {}

    /** The Java half of a Python transport, with nothing kept from being sent: see {@link WriteJoiner}. */
    static StreamTransport of(long transport) {
        StreamTransport half = toWrite(transport);
        half.sendKept();
        return half;
    }

    /** The Java half of a Python transport that is written to next, behind what it keeps. */
    static StreamTransport toWrite(long transport) {
        return (StreamTransport) TransportSlots.WRITABLE.halfOf(transport);
    }
}
