package dev.jvloop.linux;

/** The system calls that make a listening socket, through the errno funnel of a {@link SystemCalls}. Once for each. */
public final class ListenerCalls {
    private static final SystemCall SOCKET = SystemCall.blocking("socket");
    private static final SystemCall BIND = SystemCall.blocking("bind");
    private static final SystemCall LISTEN = SystemCall.blocking("listen");

    private static final long SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000;

    private final SystemCalls calls;

    public ListenerCalls(SystemCalls calls) {
        this.calls = calls;
    }

    /** A TCP socket, non-blocking. */
    public int socket(int family) {
        return calls.intResult(SOCKET.call(calls.state(), family, SOCK_STREAM_NONBLOCK_CLOEXEC));
    }

    /** @param address of a struct sockaddr */
    public int bind(int fd, long address, int length) {
        return calls.intResult(BIND.call(calls.state(), fd, address, length));
    }

    public int listen(int fd, int backlog) {
        return calls.intResult(LISTEN.call(calls.state(), fd, backlog));
    }
}
