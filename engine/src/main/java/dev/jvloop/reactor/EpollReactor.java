package dev.jvloop.reactor;

import dev.jvloop.Interest;
import dev.jvloop.Reactor;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.FdHandler;
import dev.jvloop.linux.Poller;
import dev.jvloop.linux.SystemCallException;
import dev.jvloop.linux.SystemCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;

/** The {@link Reactor} on epoll: the engine's poller and timer heap, with Java's objects in the place of Python's. */
public final class EpollReactor implements Reactor {
    private static final long FOREVER = Timers.FOREVER;

    /** Has the reactor for the calling thread until it is closed. */
    private interface Claim extends AutoCloseable {
        @Override
        void close();
    }

    private final Poller poller;
    private final Inbox inbox;
    private final Timers timers = new Timers();
    /** What this turn runs, or what the last one could not. */
    private final Queue<Runnable> ready = new ArrayDeque<>();

    private Thread.UncaughtExceptionHandler uncaughtOrNull;
    private int runCount;

    private final Claim first = this::leave;
    private final Claim nested = () -> {};

    private EpollReactor(Poller poller) {
        this.poller = poller;
        inbox = new Inbox(poller::wakeup);
    }

    /** See {@link Reactor#open()}. */
    public static Reactor open() throws IOException {
        try {
            return new EpollReactor(new Poller(new SystemCalls()));
        } catch (SystemCallException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    // ---- descriptors

    private final class Watch implements Registration, FdHandler {
        private final int fd;
        private final Handler handler;

        Watch(int fd, Handler handler) {
            this.fd = fd;
            this.handler = handler;
        }

        @Override
        public int fd() {
            return fd;
        }

        @Override
        public Interest interest() {
            try (Claim _ = claimOpen()) {
                checkValid();
                return interestOf(poller.interest(fd));
            }
        }

        @Override
        public void setInterest(Interest interest) throws IOException {
            try (Claim _ = claimOpen()) {
                checkValid();
                if (poller.interest(fd) != eventsOf(interest)) {
                    watch(fd, interest, this);
                }
            }
        }

        @Override
        public boolean isValid() {
            try (Claim _ = claim()) {
                return isWatched();
            }
        }

        @Override
        public void cancel() {
            try (Claim _ = claim()) {
                if (isWatched()) {
                    poller.unwatch(fd);
                }
            }
        }

        private boolean isWatched() {
            return isOpen() && poller.handlerOrNull(fd) == this;
        }

        private void checkValid() {
            if (!isWatched()) {
                throw new IllegalStateException("the registration of descriptor " + fd + " has ended");
            }
        }

        @Override
        public void onReady(int events) {
            if (!isOpen()) {
                return;
            }
            runCount++;
            try {
                handler.ready(this, interestOf(events));
            } catch (Throwable t) {
                uncaught(t);
            }
        }
    }

    @Override
    public Registration register(int fd, Interest interest, Handler handler) throws IOException {
        Watch watch = new Watch(fd, Objects.requireNonNull(handler));
        try (Claim _ = claimOpen()) {
            watch(fd, interest, watch);
        }
        return watch;
    }

    private void watch(int fd, Interest interest, Watch watch) throws IOException {
        int result = poller.watch(fd, eventsOf(interest), watch);
        if (result < 0) {
            throw new IOException(
                    switch (-result) {
                        case Errno.EBADF -> "descriptor " + fd + " is not open";
                        case Errno.EPERM -> "descriptor " + fd + " cannot be watched: is it that of a regular file?";
                        default -> "descriptor " + fd + " cannot be watched: errno " + -result;
                    });
        }
    }

    private static int eventsOf(Interest interest) {
        return (interest.reads() ? Poller.READ : 0) | (interest.writes() ? Poller.WRITE : 0);
    }

    private static Interest interestOf(int events) {
        return switch (events) {
            case Poller.READ -> Interest.READ;
            case Poller.WRITE -> Interest.WRITE;
            default -> Interest.READ_WRITE;
        };
    }

    // ---- timers and tasks

    private final class Alarm implements Timer {
        private final Timers.Entry entry;

        Alarm(Timers.Entry entry) {
            this.entry = entry;
        }

        @Override
        public long deadlineNanos() {
            return entry.deadlineNanos();
        }

        @Override
        public boolean cancel() {
            try (Claim _ = claim()) {
                return isOpen() && timers.cancel(entry);
            }
        }
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
        long now = System.nanoTime();
        long deadline = now + Math.max(0, saturatedNanos(delay));
        return scheduleAt(deadline < now ? Long.MAX_VALUE : deadline, task);
    }

    @Override
    public Timer scheduleAt(long nanoTime, Runnable task) {
        Objects.requireNonNull(task);
        try (Claim _ = claimOpen()) {
            return new Alarm(timers.add(nanoTime, task));
        }
    }

    @Override
    public void execute(Runnable task) {
        inbox.put(Objects.requireNonNull(task));
    }

    @Override
    public void wakeup() {
        inbox.wake();
    }

    private static long saturatedNanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return duration.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }

    // ---- running

    @Override
    public int runOnce(Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("a negative timeout: " + timeout);
        }
        return turn(saturatedNanos(timeout));
    }

    @Override
    public int runOnce() {
        return turn(FOREVER);
    }

    private int turn(long timeoutNanos) {
        try (Claim claim = claimOpen()) {
            if (claim != first) {
                throw new IllegalStateException("the reactor is running: what it runs cannot run it");
            }
            runCount = 0;
            poll(timeoutNanos);
            timers.moveDueTo(ready, System.nanoTime());
            inbox.moveTo(ready);
            runReady();
            return runCount;
        }
    }

    private void poll(long timeoutNanos) {
        long wait = ready.isEmpty() ? shorter(timeoutNanos, timers.nanosUntilFirst(System.nanoTime())) : 0;
        if (!inbox.fallAsleep(wait != 0)) {
            check(poller.pollNow());
            return;
        }
        int count;
        try {
            count = poller.await(wait);
        } finally {
            inbox.noteAwake();
        }
        check(count);
        if (count > 0) {
            poller.dispatch(count);
        }
    }

    private static long shorter(long timeoutNanos, long otherNanos) {
        if (timeoutNanos == FOREVER || otherNanos == FOREVER) {
            return Math.max(timeoutNanos, otherNanos);
        }
        return Math.min(timeoutNanos, otherNanos);
    }

    private static void check(int count) {
        if (count < 0 && count != -Errno.EINTR) {
            throw new UncheckedIOException(new IOException("epoll_wait failed with errno " + -count));
        }
    }

    /** What is ready now; what that adds is for the next turn. */
    private void runReady() {
        for (int left = ready.size(); left > 0 && isOpen(); left--) {
            Runnable next = ready.remove();
            if (Timers.isCancelledTimer(next)) {
                continue;
            }
            runCount++;
            try {
                next.run();
            } catch (Throwable t) {
                uncaught(t);
            }
        }
    }

    @Override
    public void setUncaughtExceptionHandler(Thread.UncaughtExceptionHandler handler) {
        try (Claim _ = claim()) {
            uncaughtOrNull = handler;
        }
    }

    private void uncaught(Throwable t) {
        Thread thread = Thread.currentThread();
        Thread.UncaughtExceptionHandler handler =
                uncaughtOrNull == null ? thread.getUncaughtExceptionHandler() : uncaughtOrNull;
        handler.uncaughtException(thread, t);
    }

    // ---- whose it is, and the end

    /**
     * Takes the reactor for the calling thread, which may have it: in a turn.
     *
     * @throws WrongThreadException if another thread has it
     */
    private Claim claim() {
        return inbox.enter() ? first : nested;
    }

    private Claim claimOpen() {
        Claim claim = claim();
        if (!isOpen()) {
            claim.close();
            throw new IllegalStateException("the reactor is closed");
        }
        return claim;
    }

    private void leave() {
        if (inbox.leave()) {
            release();
        }
    }

    @Override
    public boolean isOpen() {
        return !inbox.isClosed();
    }

    @Override
    public void close() {
        if (inbox.close()) {
            release();
        }
    }

    private void release() {
        poller.close();
        timers.clear();
        ready.clear();
    }
}
