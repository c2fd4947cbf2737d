package dev.jvloop.linux;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;

/**
 * System calls, in one errno funnel: every method returns what the kernel does, a result of 0 or more or
 * {@code -errno}.
 *
 * <p>glibc reports failure by -1 and the thread's {@code errno}, which goes into a segment that the caller's loop owns
 * (one of these objects for each loop; they are not shared between threads).
 *
 * <p>All calls but {@link #epollWait} and {@link #close} (which waits where a program set SO_LINGER) are critical
 * downcalls: the file descriptors are non-blocking, so they return at once.
 */
public class SystemCalls {
    private static final long ERRNO_OFFSET =
            Linker.Option.captureStateLayout().byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private static final SystemCall RECV = SystemCall.critical("recv");
    private static final SystemCall SEND = SystemCall.critical("send");

    /**
     * The calls that each loop makes as it starts, in the shape of the C API's functions: without errno. A program that
     * neither waits nor transfers anything needs no call with it, which is 4 ms of its start.
     */
    private static final CFunction EPOLL_CREATE1 = Downcall.critical("epoll_create1");

    private static final CFunction EVENTFD = Downcall.critical("eventfd");
    private static final CFunction EPOLL_CTL = Downcall.critical("epoll_ctl");
    private static final CFunction EPOLL_WAIT = Downcall.critical("epoll_wait");
    private static final CFunction WRITE = Downcall.critical("write");
    private static final CFunction READ = Downcall.critical("read");
    private static final CFunction CLOSE = Downcall.plain("close");

    /** In the same shape: see {@link #recvStream}. */
    private static final CFunction STREAM_RECV = Downcall.critical("recv");

    private static final CFunction STREAM_SEND = Downcall.critical("send");
    private static final CFunction ERRNO_LOCATION = Downcall.critical("__errno_location");

    /** The same calls where they fail: they are made again, for errno. A failed one has changed nothing. */
    private static final class Failed {
        private static final SystemCall EPOLL_CREATE1 = SystemCall.critical("epoll_create1");
        private static final SystemCall EVENTFD = SystemCall.critical("eventfd");
        private static final SystemCall EPOLL_CTL = SystemCall.critical("epoll_ctl");
        private static final SystemCall EPOLL_WAIT = SystemCall.critical("epoll_wait");
        private static final SystemCall WRITE = SystemCall.critical("write");
        private static final SystemCall READ = SystemCall.critical("read");
    }

    /** This and the next one are looked up by the first call: a loop may never make one. */
    private static final class Accepting {
        private static final SystemCall ACCEPT4 = SystemCall.critical("accept4");
        private static final SystemCall GETSOCKNAME = SystemCall.critical("getsockname");
        private static final SystemCall SETSOCKOPT = SystemCall.critical("setsockopt");
        private static final SystemCall SHUTDOWN = SystemCall.critical("shutdown");
    }

    private static final class Gathering {
        private static final SystemCall SENDMSG = SystemCall.critical("sendmsg");
    }

    /** Freed with this object: a transport may outlive its loop's close. */
    final MemorySegment state = Arena.ofAuto().allocate(Linker.Option.captureStateLayout());

    /** Where the linker puts errno: for the classes beside this one that bind further calls. */
    MemorySegment state() {
        return state;
    }

    /** A struct timespec for {@link BlockingWait}. */
    final MemorySegment timespec = Arena.ofAuto().allocate(16, 8);

    private int errno() {
        return Memory.getInt(state.address() + ERRNO_OFFSET);
    }

    /** Result of a call whose C type is ssize_t. */
    long result(long value) {
        return value >= 0 ? value : -errno();
    }

    /** Result of a call whose C type is int: the upper half of the register is undefined. */
    int intResult(long value) {
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
        return result(RECV.call(state, fd, buffer, length));
    }

    private static final long MSG_NOSIGNAL = 0x4000;
    /** Flag for {@link #send}: more follows at once, so TCP may wait for it, up to 200 ms. */
    public static final long MSG_MORE = 0x8000;

    public final long send(int fd, long buffer, long length) {
        return send(fd, buffer, length, 0);
    }

    /** @param flags 0 or {@link #MSG_MORE} */
    public long send(int fd, long buffer, long length, long flags) {
        return result(SEND.call(state, fd, buffer, length, MSG_NOSIGNAL | flags));
    }

    /**
     * {@link #recv} of a connected stream socket, where nearly each call succeeds: without the capture of errno, which is
     * a slice, a call into the JVM and a larger shape for each call. Unix echo takes 0.97x of the CPU time, TCP echo 0.98x.
     *
     * <p>One that fails is made again, with errno: it then says that nothing is there, brings what has come in between,
     * or says why. A stream that ended by an error tells it once, and the second call finds an end: only for that one is
     * the thread's errno of the first call taken. Should the JVM have changed it, the error has another name, and no
     * connection waits for ever or is closed for nothing. Not for datagrams, whose socket works on after an error.
     */
    public long recvStream(int fd, long buffer, long length) {
        long received = STREAM_RECV.call(fd, buffer, length);
        if (received >= 0) {
            return received;
        }
        int errno = unsureErrno();
        // None of the JVM's own calls fails like this. To accept a connection and have it reset takes 1 to 2 % less.
        return errno == Errno.ECONNRESET ? -errno : afterFailure(errno, recv(fd, buffer, length));
    }

    /**
     * {@link #send} on a connected stream socket, as {@link #recvStream}.
     *
     * @param flags 0 or {@link #MSG_MORE}
     */
    public long sendStream(int fd, long buffer, long length, long flags) {
        long sent = STREAM_SEND.call(fd, buffer, length, MSG_NOSIGNAL | flags);
        return sent >= 0 ? sent : afterFailure(unsureErrno(), send(fd, buffer, length, flags));
    }

    /** Of the call before, unless the JVM has made another since. */
    private static int unsureErrno() {
        return Memory.getInt(ERRNO_LOCATION.call());
    }

    private static long afterFailure(int unsureErrno, long again) {
        boolean goesOn = again > 0 || again == -Errno.EAGAIN || again == -Errno.EINTR;
        boolean hadError = unsureErrno > 0 && unsureErrno != Errno.EAGAIN && unsureErrno != Errno.EINTR;
        return hadError && !goesOn ? -unsureErrno : again;
    }

    /** @param message address of a struct msghdr */
    public long sendmsg(int fd, long message) {
        return result(Gathering.SENDMSG.call(state, fd, message, MSG_NOSIGNAL));
    }

    /** Whatever the result, the descriptor is closed, so that none is closed again for the sake of its errno. */
    public int close(int fd) {
        int closed = (int) CLOSE.call(fd);
        return closed >= 0 ? closed : -unsureErrno();
    }

    private static final long SOCK_NONBLOCK_CLOEXEC = 0x800 | 0x80000;

    public int accept4(int fd, long address, long addressLength) {
        return intResult(Accepting.ACCEPT4.call(state, fd, address, addressLength, SOCK_NONBLOCK_CLOEXEC));
    }

    public int getsockname(int fd, long address, long addressLength) {
        return intResult(Accepting.GETSOCKNAME.call(state, fd, address, addressLength));
    }

    public int setsockopt(int fd, int level, int option, long value, int length) {
        return intResult(Accepting.SETSOCKOPT.call(state, fd, level, option, value, length));
    }

    private static final long SHUT_WR = 1;

    public int shutdownWrite(int fd) {
        return intResult(Accepting.SHUTDOWN.call(state, fd, SHUT_WR));
    }

    private static final long EPOLL_CLOEXEC = 0x80000;

    public int epollCreate() {
        int epoll = (int) EPOLL_CREATE1.call(EPOLL_CLOEXEC);
        return epoll >= 0 ? epoll : intResult(Failed.EPOLL_CREATE1.call(state, EPOLL_CLOEXEC));
    }

    public int epollCtl(int epoll, int operation, int fd, long event) {
        int done = (int) EPOLL_CTL.call(epoll, operation, fd, event);
        return done >= 0 ? done : intResult(Failed.EPOLL_CTL.call(state, epoll, operation, fd, event));
    }

    /** epoll_wait with a timeout of 0: never blocks. */
    public int epollWaitNow(int epoll, long events, int maxEvents) {
        int count = (int) EPOLL_WAIT.call(epoll, events, maxEvents);
        return count >= 0 ? count : intResult(Failed.EPOLL_WAIT.call(state, epoll, events, maxEvents));
    }

    /** Blocks for up to {@code timeoutNanos} (negative: for ever). The caller does not hold the GIL. */
    public int epollWait(int epoll, long events, int maxEvents, long timeoutNanos) {
        int count = epollWaitQuietly(epoll, events, maxEvents, timeoutNanos);
        return count >= 0 ? count : BlockingWait.reason(this, epoll, events, maxEvents);
    }

    /** {@link #epollWait} that does not say why it failed: the result is some negative number then. */
    public int epollWaitQuietly(int epoll, long events, int maxEvents, long timeoutNanos) {
        return BlockingWait.epollWait(this, epoll, events, maxEvents, timeoutNanos);
    }

    private static final long EFD_NONBLOCK_CLOEXEC = 0x800 | 0x80000;

    public int eventfd() {
        int fd = (int) EVENTFD.call(0, EFD_NONBLOCK_CLOEXEC);
        return fd >= 0 ? fd : intResult(Failed.EVENTFD.call(state, 0, EFD_NONBLOCK_CLOEXEC));
    }

    /** Of an eventfd, as {@link #read}. */
    public long write(int fd, long buffer, long length) {
        long written = WRITE.call(fd, buffer, length);
        return written >= 0 ? written : result(Failed.WRITE.call(state, fd, buffer, length));
    }

    public long read(int fd, long buffer, long length) {
        long count = READ.call(fd, buffer, length);
        return count >= 0 ? count : result(Failed.READ.call(state, fd, buffer, length));
    }
}
