package dev.jvloop.transport;

import dev.jvloop.py.Namespace;

/** Offsets, in bytes, of the slots of {@code jvloop.DatagramTransport}. */
final class DatagramLayout {
    static final long ADDRESS = Namespace.integer("slot.DatagramTransport._address");

    private DatagramLayout() {}

    /** The Java half of a Python transport. */
    static DatagramTransport of(long transport) {
        return (DatagramTransport) TransportSlots.WRITABLE.halfOf(transport);
    }
}
