package dev.jvloop.loop;

import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;

/**
 * What a {@code socket.socket} holds, where that is known: measured on live objects before the start. Asking its methods
 * takes two Python calls for each operation.
 */
final class PlainSocket {
    private static final long TYPE = Namespace.object("type.socket");
    /** A C int; 0 if this and the next were not found. */
    private static final long FD = Namespace.integer("offset.socket_fd");
    /** Nanoseconds; 0 in a non-blocking one. */
    private static final long TIMEOUT = Namespace.integer("offset.socket_timeout");

    private PlainSocket() {}

    /** The descriptor of a non-blocking, open socket of that class itself; -1 for any other object. */
    static int fdOrMinusOne(long object) {
        return FD != 0 && Py.typeOf(object) == TYPE && Memory.getLong(object + TIMEOUT) == 0
                ? Memory.getInt(object + FD)
                : -1;
    }
}
