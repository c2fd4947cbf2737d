package dev.jvloop.linux;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;

/** Real file descriptors for tests, by C functions that the engine itself has no use for; closes all of them. */
public final class Descriptors implements AutoCloseable {
    static final int AF_UNIX = 1;
    static final int AF_INET = 2;
    private static final int SOCK_STREAM = 1;
    private static final int NONBLOCK_CLOEXEC = 0x800 | 0x80000;
    private static final int F_DUPFD = 0;
    private static final int F_GETFD = 1;
    private static final int F_GETFL = 3;

    final Arena arena = Arena.ofShared();
    final SystemCalls calls = new SystemCalls();
    private final Set<Integer> open = new LinkedHashSet<>();

    /** Two connected Unix stream sockets, non-blocking. */
    public int[] socketPair() {
        MemorySegment pair = arena.allocate(8, 4);
        succeed("socketpair", AF_UNIX, SOCK_STREAM | NONBLOCK_CLOEXEC, 0, pair.address());
        return twoOf(pair);
    }

    /** The read and the write end of a pipe, non-blocking. */
    public int[] pipe() {
        MemorySegment pair = arena.allocate(8, 4);
        succeed("pipe2", pair.address(), NONBLOCK_CLOEXEC);
        return twoOf(pair);
    }

    /** An event file descriptor, which is always writable. */
    public int eventfd() {
        return owned(calls.eventfd());
    }

    /** A regular file, open for reading. */
    public int regularFile(String path) {
        return owned(succeed("open", arena.allocateFrom(path).address(), 0));
    }

    /** A descriptor of 127.0.0.1, any port, that listens. */
    public int listener() {
        int fd = tcpSocket();
        succeed("bind", fd, loopback((short) 0).address(), 16);
        succeed("listen", fd, 16);
        return fd;
    }

    /** A blocking TCP socket, connected to a port of 127.0.0.1 (network byte order). */
    public int connectedTo(short port) {
        int fd = tcpSocket();
        succeed("connect", fd, loopback(port).address(), 16);
        return fd;
    }

    private int tcpSocket() {
        return owned(succeed("socket", AF_INET, SOCK_STREAM, 0));
    }

    private MemorySegment loopback(short port) {
        MemorySegment address = arena.allocate(16, 8);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_INET);
        address.set(ValueLayout.JAVA_SHORT, 2, port);
        address.setString(4, "\u007f\0\0\u0001", StandardCharsets.ISO_8859_1);
        return address;
    }

    int intOption(int fd, int level, int option) {
        MemorySegment value = arena.allocate(8, 8);
        value.set(ValueLayout.JAVA_INT, 4, 4);
        succeed("getsockopt", fd, level, option, value.address(), value.address() + 4);
        return value.get(ValueLayout.JAVA_INT, 0);
    }

    boolean isNonBlocking(int fd) {
        return (fcntl(fd, F_GETFL, 0) & 0x800) != 0;
    }

    boolean isCloseOnExec(int fd) {
        return (fcntl(fd, F_GETFD, 0) & 1) != 0;
    }

    public boolean isOpen(int fd) {
        return fcntl(fd, F_GETFD, 0) >= 0;
    }

    /** The same open file under the first free number from {@code atLeast} on. */
    public int duplicateFrom(int fd, int atLeast) {
        int duplicate = fcntl(fd, F_DUPFD, atLeast);
        assertTrue(duplicate >= atLeast, "no descriptor from " + atLeast + " on is free");
        return owned(duplicate);
    }

    /** Gives {@code number}, which may be closed, to the open file of {@code fd}. */
    public void duplicateTo(int fd, int number) {
        succeed("dup2", fd, number);
        owned(number);
    }

    /** Closes one of the descriptors, behind everybody's back. */
    public void close(int fd) {
        assertTrue(open.remove(fd));
        calls.close(fd);
    }

    int owned(int fd) {
        assertTrue(fd >= 0, () -> "errno " + -fd);
        open.add(fd);
        return fd;
    }

    public void write(int fd, String text) {
        MemorySegment bytes = arena.allocateFrom(text);
        assertTrue(calls.write(fd, bytes.address(), text.length()) == text.length());
    }

    /** What {@code read} gives, as text; at most 4096 bytes. */
    public String read(int fd) {
        MemorySegment room = arena.allocate(4096);
        long count = calls.read(fd, room.address(), 4096);
        assertTrue(count >= 0, () -> "errno " + -count);
        return new String(room.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        open.forEach(calls::close);
        open.clear();
        arena.close();
    }

    private int[] twoOf(MemorySegment pair) {
        return new int[] {owned(pair.get(ValueLayout.JAVA_INT, 0)), owned(pair.get(ValueLayout.JAVA_INT, 4))};
    }

    private static int fcntl(int fd, int command, int argument) {
        Linker linker = Linker.nativeLinker();
        MethodHandle fcntl = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("fcntl"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
                Linker.Option.firstVariadicArg(2));
        try {
            return (int) fcntl.invokeExact(fd, command, argument);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static int succeed(String function, long... arguments) {
        MemoryLayout[] longs = new MemoryLayout[arguments.length];
        Arrays.fill(longs, ValueLayout.JAVA_LONG);
        Linker linker = Linker.nativeLinker();
        MethodHandle handle = linker.downcallHandle(
                linker.defaultLookup().findOrThrow(function), FunctionDescriptor.of(ValueLayout.JAVA_INT, longs));
        try {
            int result = (int)
                    handle.invokeWithArguments(Arrays.stream(arguments).boxed().toArray());
            assertTrue(result >= 0, function + " failed");
            return result;
        } catch (AssertionError e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
