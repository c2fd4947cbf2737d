package dev.jvloop.linux;

import java.lang.invoke.MethodHandle;

/** The system calls that make a listening socket, through the errno funnel of a {@link SystemCalls}. Once for each. */
public final class ListenerCalls {
    private static final MethodHandle SOCKET = SystemCalls.blocking("socket");
    private static final MethodHandle BIND = SystemCalls.blocking("bind");
    private static final MethodHandle LISTEN = SystemCalls.blocking("listen");

    private static final long SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000;

    private final SystemCalls calls;

    public ListenerCalls(SystemCalls calls) {
        this.calls = calls;
    }

    /** A TCP socket, non-blocking. */
    public int socket(int family) {
        try {
            return calls.blockingResult(
                    (long) SOCKET.invokeExact(calls.state(), (long) family, SOCK_STREAM_NONBLOCK_CLOEXEC, 0L, 0L, 0L));
        } catch (Throwable t) {
            throw SystemCalls.failed(t);
        }
    }

    /** @param address of a struct sockaddr */
    public int bind(int fd, long address, int length) {
        try {
            return calls.blockingResult(
                    (long) BIND.invokeExact(calls.state(), (long) fd, address, (long) length, 0L, 0L));
        } catch (Throwable t) {
            throw SystemCalls.failed(t);
        }
    }

    public int listen(int fd, int backlog) {
        try {
            return calls.blockingResult(
                    (long) LISTEN.invokeExact(calls.state(), (long) fd, (long) backlog, 0L, 0L, 0L));
        } catch (Throwable t) {
            throw SystemCalls.failed(t);
        }
    }
}
