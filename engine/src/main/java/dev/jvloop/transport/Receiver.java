package dev.jvloop.transport;

/** How a protocol takes what its transport receives. */
enum Receiver {
    /** As bytes objects, by {@code data_received}. */
    DATA,
    /** In a buffer of its own, by {@code get_buffer} and {@code buffer_updated}. */
    BUFFER,
    /** As records of TLS, by its Java half: a {@code jvloop} SSLProtocol. */
    TLS
}
