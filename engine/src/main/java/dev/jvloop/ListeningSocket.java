package dev.jvloop;

import dev.jvloop.reactor.TcpListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.OptionalInt;

/**
 * A listening TCP socket that Java opened and Python can serve: the JDK's own do not show their descriptors.
 *
 * <p>Non-blocking. {@link #accept} and {@link #close} are for one thread at a time.
 */
public interface ListeningSocket extends AutoCloseable {
    /** {@link #bind(InetSocketAddress, int)} with a backlog of 2048. */
    static ListeningSocket bind(InetSocketAddress address) throws IOException {
        return bind(address, 2048);
    }

    /**
     * Opens a socket that listens, with {@code SO_REUSEADDR}.
     *
     * @param address a resolved one; port 0 is one that is free
     * @param backlog how many connections may wait to be accepted
     * @throws java.net.BindException if the address is in use, is not this machine's, or is not for this user
     * @throws IOException if the system has no socket for it
     * @throws IllegalArgumentException if the address is unresolved
     */
    static ListeningSocket bind(InetSocketAddress address, int backlog) throws IOException {
        return TcpListener.bind(address, backlog);
    }

    /** The address that it listens at, with its port. */
    InetSocketAddress address();

    /**
     * The number of its descriptor, which stays this object's.
     *
     * @throws IllegalStateException if it was closed
     */
    int fd();

    /**
     * Accepts a connection if there is one. A {@link Reactor} tells when: register {@link #fd()}.
     *
     * @return its descriptor, non-blocking, which is the caller's to close or to hand to {@link PythonLoop#adopt}
     * @throws IOException if the process or the system has no more descriptors
     * @throws IllegalStateException if it was closed
     */
    OptionalInt accept() throws IOException;

    /** Closes it. Loops that serve it have descriptors of their own and go on. Closing again does nothing. */
    @Override
    void close();
}
