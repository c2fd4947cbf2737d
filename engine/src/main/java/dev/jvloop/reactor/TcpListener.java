package dev.jvloop.reactor;

import dev.jvloop.ListeningSocket;
import dev.jvloop.foreign.Memory;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.ListenerCalls;
import dev.jvloop.linux.SocketAddress;
import dev.jvloop.linux.SystemCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.BindException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.OptionalInt;

/** A listening TCP socket. */
public final class TcpListener implements ListeningSocket {
    private static final int SOL_SOCKET = 1;
    private static final int SO_REUSEADDR = 2;

    private final SystemCalls calls;
    private final int fd;
    private final InetSocketAddress address;
    private volatile boolean closed;

    private TcpListener(SystemCalls calls, int fd, InetSocketAddress address) {
        this.calls = calls;
        this.fd = fd;
        this.address = address;
    }

    /** See {@link ListeningSocket#bind(InetSocketAddress, int)}. */
    public static ListeningSocket bind(InetSocketAddress address, int backlog) throws IOException {
        if (address.isUnresolved()) {
            throw new IllegalArgumentException(address + " is unresolved");
        }
        SystemCalls calls = new SystemCalls();
        ListenerCalls listening = new ListenerCalls(calls);
        int family = address.getAddress() instanceof Inet6Address ? SocketAddress.AF_INET6 : SocketAddress.AF_INET;
        int fd = listening.socket(family);
        if (fd < 0) {
            throw new IOException("no socket for " + address + ": errno " + -fd);
        }
        try (Arena arena = Arena.ofConfined()) {
            long room = arena.allocate(SocketAddress.INET6_SIZE, 8).address();
            long length = arena.allocate(4, 4).address();
            Memory.putInt(length, 1);
            check(calls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, length, 4), address);
            check(listening.bind(fd, room, put(arena, room, family, address)), address);
            check(listening.listen(fd, backlog), address);
            Memory.putInt(length, SocketAddress.INET6_SIZE);
            check(calls.getsockname(fd, room, length), address);
            return new TcpListener(calls, fd, new InetSocketAddress(address.getAddress(), SocketAddress.port(room)));
        } catch (Throwable t) {
            calls.close(fd);
            throw t;
        }
    }

    private static int put(Arena arena, long room, int family, InetSocketAddress address) {
        InetAddress host = address.getAddress();
        String text = host.getHostAddress();
        int scope = host instanceof Inet6Address six ? six.getScopeId() : 0;
        int zone = text.indexOf('%');
        String literal = zone < 0 ? text : text.substring(0, zone);
        return SocketAddress.putInternet(
                room, family, arena.allocateFrom(literal).address(), address.getPort(), 0, scope);
    }

    private static void check(int result, InetSocketAddress address) throws BindException {
        if (result < 0) {
            throw new BindException(address + ": "
                    + switch (-result) {
                        case Errno.EADDRINUSE -> "address already in use";
                        case Errno.EADDRNOTAVAIL -> "not an address of this machine";
                        case Errno.EACCES -> "permission denied";
                        default -> "errno " + -result;
                    });
        }
    }

    @Override
    public InetSocketAddress address() {
        return address;
    }

    @Override
    public int fd() {
        if (closed) {
            throw new IllegalStateException("the socket of " + address + " was closed");
        }
        return fd;
    }

    @Override
    public OptionalInt accept() throws IOException {
        int connection = calls.accept4(fd(), 0, 0);
        if (connection >= 0) {
            return OptionalInt.of(connection);
        }
        if (Errno.isOutOfResource(-connection)) {
            throw new IOException("no connection can be accepted: errno " + -connection);
        }
        // There is none, or it has gone again.
        return OptionalInt.empty();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            calls.close(fd);
        }
    }
}
