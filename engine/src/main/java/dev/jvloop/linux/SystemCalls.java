package dev.jvloop.linux;

import dev.jvloop.capi.Downcall;
import dev.jvloop.capi.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * System calls, in one errno funnel: every method returns what the kernel does, a result of 0 or more or
 * {@code -errno}.
 *
 * <p>glibc reports failure by -1 and the thread's {@code errno}. By the time Java reads {@code errno} the JVM may have
 * changed it, so the linker captures it right after the call, into a segment that the caller's loop owns (one of
 * these objects for each loop; they are not shared between threads).
 *
 * <p>All calls but {@link #epollWait} and {@link #close} (which waits where a program set SO_LINGER) are critical
 * downcalls: the file descriptors are non-blocking, so they return at once.
 */
public class SystemCalls {
    /** Every call is bound with the five parameters of the longest one: see {@link Downcall}. */
    private static final FunctionDescriptor SHAPE = Downcall.longs(5);

    static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final long ERRNO_OFFSET =
            Linker.Option.captureStateLayout().byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle RECV = critical("recv");
    private static final MethodHandle SEND = critical("send");
    private static final MethodHandle EPOLL_CTL = critical("epoll_ctl");
    private static final MethodHandle EPOLL_WAIT_NOW = critical("epoll_wait");
    private static final MethodHandle WRITE = critical("write");
    private static final MethodHandle READ = critical("read");

    /** Calls that a loop may never make are bound when it makes them first. */
    private static final class Accepting {
        private static final MethodHandle ACCEPT4 = critical("accept4");
        private static final MethodHandle GETSOCKNAME = critical("getsockname");
        private static final MethodHandle SETSOCKOPT = critical("setsockopt");
        private static final MethodHandle SHUTDOWN = critical("shutdown");
    }

    /** Bound late, as the first wait is: {@link BlockingWait} has the same shape, and a start needs neither. */
    private static final class Closing {
        private static final MethodHandle CLOSE = blocking("close");
    }

    private static final class Gathering {
        private static final MethodHandle SENDMSG = critical("sendmsg");
    }

    private static final class Creating {
        private static final MethodHandle EPOLL_CREATE1 = critical("epoll_create1");
        private static final MethodHandle EVENTFD = critical("eventfd");
    }

    /** Freed with this object: a transport may outlive its loop's close. */
    final MemorySegment state = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());

    private static MethodHandle critical(String name) {
        return Downcall.of(name, SHAPE, ERRNO, Linker.Option.critical(false));
    }

    static MethodHandle blocking(String name) {
        return Downcall.of(name, SHAPE, ERRNO);
    }

    /** Where the linker puts errno: for the classes beside this one that bind further calls. */
    MemorySegment state() {
        return state;
    }

    private int errno() {
        return Memory.getInt(state.address() + ERRNO_OFFSET);
    }

    /** Result of a call whose C type is ssize_t. */
    long result(long value) {
        return value >= 0 ? value : -errno();
    }

    /** Result of a call whose C type is int: the upper half of the register is undefined. */
    private int intResult(long value) {
        int narrow = (int) value;
        return narrow >= 0 ? narrow : -errno();
    }

    /**
     * Whether a TCP connection may have more to read after a {@link #recv} with this result: one that brought less than
     * was asked for took all there was, save where the poller knows of urgent data or an end.
     */
    public boolean mayHaveLeft(long received, long asked) {
        return received == asked || received == -Errno.EINTR;
    }

    public long recv(int fd, long buffer, long length) {
        try {
            return result((long) RECV.invokeExact(state, (long) fd, buffer, length, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private static final long MSG_NOSIGNAL = 0x4000;
    /** Flag for {@link #send}: more follows at once, so TCP may wait for it, up to 200 ms. */
    public static final long MSG_MORE = 0x8000;

    public final long send(int fd, long buffer, long length) {
        return send(fd, buffer, length, 0);
    }

    /** @param flags 0 or {@link #MSG_MORE} */
    public long send(int fd, long buffer, long length, long flags) {
        try {
            return result((long) SEND.invokeExact(state, (long) fd, buffer, length, MSG_NOSIGNAL | flags, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    /** @param message address of a struct msghdr */
    public long sendmsg(int fd, long message) {
        try {
            return result((long) Gathering.SENDMSG.invokeExact(state, (long) fd, message, MSG_NOSIGNAL, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    public int close(int fd) {
        try {
            return intResult((long) Closing.CLOSE.invokeExact(state, (long) fd, 0L, 0L, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private static final long SOCK_NONBLOCK_CLOEXEC = 0x800 | 0x80000;

    public int accept4(int fd, long address, long addressLength) {
        try {
            return intResult((long)
                    Accepting.ACCEPT4.invokeExact(state, (long) fd, address, addressLength, SOCK_NONBLOCK_CLOEXEC, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    public int getsockname(int fd, long address, long addressLength) {
        try {
            return intResult(
                    (long) Accepting.GETSOCKNAME.invokeExact(state, (long) fd, address, addressLength, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    public int setsockopt(int fd, int level, int option, long value, int length) {
        try {
            return intResult((long) Accepting.SETSOCKOPT.invokeExact(
                    state, (long) fd, (long) level, (long) option, value, (long) length));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    private static final long SHUT_WR = 1;

    public int shutdownWrite(int fd) {
        try {
            return intResult((long) Accepting.SHUTDOWN.invokeExact(state, (long) fd, SHUT_WR, 0L, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    public int epollCreate() {
        try {
            return intResult((long) Creating.EPOLL_CREATE1.invokeExact(state, 0x80000L, 0L, 0L, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    public int epollCtl(int epoll, int operation, int fd, long event) {
        try {
            return intResult((long) EPOLL_CTL.invokeExact(state, (long) epoll, (long) operation, (long) fd, event, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    /** epoll_wait with a timeout of 0: never blocks. */
    public int epollWaitNow(int epoll, long events, int maxEvents) {
        try {
            return intResult((long) EPOLL_WAIT_NOW.invokeExact(state, (long) epoll, events, (long) maxEvents, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    /** Blocks for up to {@code timeoutNanos} (negative: for ever). The caller does not hold the GIL. */
    public int epollWait(int epoll, long events, int maxEvents, long timeoutNanos) {
        return BlockingWait.epollWait(this, state, epoll, events, maxEvents, timeoutNanos);
    }

    int blockingResult(long value) {
        return intResult(value);
    }

    public int eventfd() {
        try {
            return intResult((long) Creating.EVENTFD.invokeExact(state, 0L, 0x800L | 0x80000L, 0L, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    public long write(int fd, long buffer, long length) {
        try {
            return result((long) WRITE.invokeExact(state, (long) fd, buffer, length, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    public long read(int fd, long buffer, long length) {
        try {
            return result((long) READ.invokeExact(state, (long) fd, buffer, length, 0L, 0L));
        } catch (Throwable t) {
            throw failed(t);
        }
    }

    static RuntimeException failed(Throwable t) {
        return Downcall.failed(t);
    }
}
