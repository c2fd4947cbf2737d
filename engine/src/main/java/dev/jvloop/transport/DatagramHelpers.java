package dev.jvloop.transport;

import dev.jvloop.py.Namespace;

/** Python functions for what datagram transports do rarely. */
final class DatagramHelpers {
    static final long FATAL_ERROR = Namespace.object("helper.datagram_fatal_error");
    static final long CALL_CONNECTION_LOST = Namespace.object("helper.datagram_call_connection_lost");
    static final long CALLBACK_FAILED = Namespace.object("helper.datagram_callback_failed");
    static final long CHECK_ADDRESS = Namespace.object("helper.check_datagram_address");
    static final long DECODE_ADDRESS = Namespace.object("helper.decode_address");
    static final long SEND_BY_SOCKET = Namespace.object("helper.send_by_socket");
    static final long SENDTO_BY_NAMES = Namespace.object("helper.sendto_by_names");

    private DatagramHelpers() {}
}
