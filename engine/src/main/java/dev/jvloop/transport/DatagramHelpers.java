package dev.jvloop.transport;

import dev.jvloop.py.Namespace;

/** Python functions for what datagram transports do rarely. */
final class DatagramHelpers {
    static final long CHECK_ADDRESS = Namespace.object("helper.check_datagram_address");
    static final long DECODE_ADDRESS = Namespace.object("helper.decode_address");
    static final long SEND_BY_SOCKET = Namespace.object("helper.send_by_socket");
    static final long SENDTO_BY_NAMES = Namespace.object("helper.sendto_by_names");

    private DatagramHelpers() {}
}
