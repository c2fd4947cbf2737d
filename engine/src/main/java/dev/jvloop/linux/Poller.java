package dev.jvloop.linux;

import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * epoll, a table of handlers by file descriptor, and an eventfd that wakes the wait.
 *
 * <p>The fact that makes this hard: epoll watches open file <em>descriptions</em>, its table is keyed by descriptor
 * <em>number</em>, and a user may close a number while it is registered. The kernel then forgets it silently, the
 * number comes back with the next socket, and events that were already fetched may belong to the former one. So each
 * registration has a generation that travels in the event's data and is compared before a handler runs, and
 * a change that the kernel answers with ENOENT registers anew.
 *
 * <p>It is level-triggered, save for handlers that {@link FdHandler#readsAll}. The kernel then tells them once of what has
 * come; level-triggered it also looks, in the next poll, whether each descriptor that it has reported is still ready,
 * which takes a TCP echo server in C 1.5 % of its CPU time. Where more is to be read and no edge follows (behind
 * urgent data, an end that came along with data, events that were not handed out), the registration is changed, for which the kernel looks anew.
 *
 * <p>Knows no Python. Not thread-safe, but for {@link #wakeup}.
 */
public final class Poller implements AutoCloseable {
    public static final int READ = 1;
    public static final int WRITE = 4;

    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_DEL = 2;
    private static final int EPOLL_CTL_MOD = 3;
    private static final int ERROR_OR_HANGUP = 8 | 16;
    /** Urgent data, before which a read ends. */
    private static final int EPOLLPRI = 2;
    /** The end of what the peer sends. */
    private static final int EPOLLRDHUP = 1 << 13;

    private static final int STOP = ERROR_OR_HANGUP | EPOLLPRI | EPOLLRDHUP;
    /** What the event file descriptor is registered with, which has no handler; handlers' generations start at 1. */
    private static final int WAKE_GENERATION = 0;

    // What triggers reports: that there is something, until the first report, or that more has come.
    private static final int LEVEL = 0;
    private static final int ONCE = 1 << 30;
    private static final int EDGE = 1 << 31 | EPOLLPRI;
    /** struct epoll_event is packed on x86-64 only (sys/epoll.h). */
    private static final boolean PACKED = System.getProperty("os.arch").equals("amd64");

    private static final int DATA_OFFSET = PACKED ? 4 : 8;
    private static final int EVENT_SIZE = PACKED ? 12 : 16;
    /**
     * So few that what was received is still in the cache when the task that it wakes runs: with 1000 connections an echo by
     * streams takes 4 to 5 % less CPU time than with 256, and 9 % less than with 1024; by a protocol 2 %.
     */
    private static final int MAX_EVENTS = 64;

    private static final int FEW_EVENTS = 8;

    private static final class Registration {
        final FdHandler handler;
        final int generation;
        int interest;
        /** {@link #LEVEL}, {@link #ONCE} or {@link #EDGE}. */
        int trigger;
        /** {@link #fetchCount} when the kernel was told of it last. */
        long watchedSince;

        Registration(FdHandler handler, int generation) {
            this.handler = handler;
            this.generation = generation;
        }
    }

    private final SystemCalls calls;
    /** Its own, since any thread may wake while the loop's thread reads the errno of its wait. */
    private final SystemCalls wakeCalls = new SystemCalls();

    private final Arena arena = Arena.ofAuto();
    private final long events =
            arena.allocate((long) EVENT_SIZE * MAX_EVENTS, 16).address();
    private final long change = arena.allocate(16, 16).address();
    private final long wakeValue = arena.allocate(8, 8).address();
    private final int epoll;
    private final int wakeFd;
    private Registration[] byFd = new Registration[64];
    private int generations;
    private EventShuffle shuffleOrNull;
    private boolean closed;
    private int most = MAX_EVENTS;
    private long fetchCount;
    private boolean newWatch;

    private boolean followed;

    /** Opens the epoll and event file descriptors; throws {@link SystemCallException} if the process may not. */
    public Poller(SystemCalls calls) {
        this.calls = calls;
        epoll = SystemCallException.check("epoll_create1", calls.epollCreate());
        int eventFd = calls.eventfd();
        if (eventFd < 0) {
            calls.close(epoll);
            throw new SystemCallException("eventfd", -eventFd);
        }
        wakeFd = eventFd;
        Memory.putLong(wakeValue, 1);
        // Each write is reported once, and so nothing is read. The counter is full after 2^64 wake-ups.
        int added = control(EPOLL_CTL_ADD, wakeFd, READ | EDGE, WAKE_GENERATION);
        if (added < 0) {
            calls.close(wakeFd);
            calls.close(epoll);
            throw new SystemCallException("epoll_ctl", -added);
        }
    }

    /** The epoll descriptor itself: readable when any registered one is ready. */
    public int fd() {
        return epoll;
    }

    /** How many descriptors are watched, or were a moment ago: counts them. Any thread. */
    public int watchedCount() {
        int count = 0;
        for (Registration registration : byFd) {
            if (registration != null && registration.interest != 0) {
                count++;
            }
        }
        return count;
    }

    public FdHandler handlerOrNull(int fd) {
        Registration registration = registrationOrNull(fd);
        return registration == null ? null : registration.handler;
    }

    /** What a descriptor is watched for: {@link #READ} | {@link #WRITE}, 0 if nothing. */
    public int interest(int fd) {
        Registration registration = registrationOrNull(fd);
        return registration == null ? 0 : registration.interest;
    }

    /**
     * Watches a descriptor for {@code interest} on behalf of a handler, which replaces any other.
     *
     * @return 0, or {@code -errno} with nothing changed
     */
    public int watch(int fd, int interest, FdHandler handler) {
        return watch(fd, interest, handler, interest == READ && handler.readsAll() ? EDGE : LEVEL);
    }

    /** For a handler that has not read all: there may be more. */
    public void readAgain(int fd) {
        followed = true;
        Registration registration = registrationOrNull(fd);
        if (registration != null && registration.trigger == EDGE) {
            report(fd, registration, EDGE);
        }
    }

    /**
     * {@link #watch} until the first event only. The kernel then keeps the registration but is silent, so that the next
     * watch costs one system call and stopping costs none. What makes it safe to leave it behind: it stays silent even
     * if the descriptor is closed here and lives on in another process.
     */
    public int watchOnce(int fd, int interest, FdHandler handler) {
        return watch(fd, interest, handler, ONCE);
    }

    private int watch(int fd, int interest, FdHandler handler, int trigger) {
        Registration former = registrationOrNull(fd);
        Registration registration =
                former != null && former.handler == handler ? former : new Registration(handler, nextGeneration());
        int flags = flags(interest, trigger);
        boolean known = former != null;
        int result = control(known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, flags, registration.generation);
        if (result == -Errno.ENOENT && known) {
            result = control(EPOLL_CTL_ADD, fd, flags, registration.generation);
        } else if (result == -Errno.EEXIST && !known) {
            result = control(EPOLL_CTL_MOD, fd, flags, registration.generation);
        }
        if (result < 0) {
            return result;
        }
        registration.interest = interest;
        registration.trigger = trigger;
        registration.watchedSince = fetchCount;
        newWatch = true;
        if (fd >= byFd.length) {
            byFd = Arrays.copyOf(byFd, Math.max(fd + 1, byFd.length * 2));
        }
        byFd[fd] = registration;
        return 0;
    }

    /** Stops watching a descriptor; one that the user has closed already is forgotten. */
    public void unwatch(int fd) {
        Registration registration = registrationOrNull(fd);
        if (registration == null) {
            return;
        }
        byFd[fd] = null;
        control(EPOLL_CTL_DEL, fd, 0, 0);
    }

    /**
     * Says whether a poll fetches {@value #FEW_EVENTS} events only, the others by the next ones, or as many as there are.
     * None is left behind: the kernel puts those that it has reported at the end of its list.
     */
    public void fetchFew(boolean few) {
        most = few ? FEW_EVENTS : MAX_EVENTS;
    }

    /**
     * Hands what is ready to its handlers without waiting.
     *
     * @return how many events there were
     */
    public int pollNow() {
        int count = fetchNow();
        if (count > 0) {
            dispatch(count);
        }
        return count;
    }

    /**
     * Fetches what is ready without waiting and without handing anything out: {@link #dispatch} follows, or
     * {@link #giveBack}. Handlers may be watched and unwatched in between.
     */
    public int fetchNow() {
        fetchCount++;
        newWatch = false;
        return calls.epollWaitNow(epoll, events, most);
    }

    /**
     * How often events were fetched: who has begun to watch a descriptor since the last time is not meant by the events
     * that were fetched then.
     */
    public long fetchCount() {
        return fetchCount;
    }

    /** Whether a descriptor has been watched anew since {@link #fetchNow}. */
    public boolean hasNewWatch() {
        return newWatch;
    }

    /** {@link #fetchNow} that waits for up to {@code timeoutNanos} (negative: for ever). */
    public int await(long timeoutNanos) {
        int count = calls.epollWait(epoll, events, most, timeoutNanos);
        fetchCount++;
        return count;
    }

    /**
     * {@link #await} that returns some negative number if the wait failed. That is a signal as a rule, and anything else
     * {@link #fetchNow} says.
     */
    public int awaitQuietly(long timeoutNanos) {
        int count = calls.epollWaitQuietly(epoll, events, most, timeoutNanos);
        fetchCount++;
        return count;
    }

    /**
     * Notes that a handler has left or done something, such as a write, by which another event may be there already. Any
     * handler, and others to no effect.
     */
    public void noteFollowed() {
        followed = true;
    }

    /** Whether the events that were handed out last may have others behind them: see {@link #noteFollowed}. */
    public boolean areFollowed() {
        return followed;
    }

    /** Runs the handlers of the first {@code count} events that the wait fetched; of none if it failed. */
    public void dispatch(int count) {
        followed = false;
        if (shuffleOrNull != null) {
            shuffleOrNull.shuffle(events, count);
        }
        for (int i = 0; i < count; i++) {
            try {
                dispatchOne(events + (long) i * EVENT_SIZE);
            } catch (Throwable t) {
                askAgain(i, count);
                throw t;
            }
        }
    }

    private void dispatchOne(long event) {
        Registration registration = registrationOfOrNull(event);
        if (registration == null) {
            return;
        }
        int ready = Memory.getInt(event);
        int wanted = (ready & ERROR_OR_HANGUP) != 0 ? registration.interest : ready & registration.interest;
        if (registration.trigger == ONCE) {
            if (registration.watchedSince == fetchCount) {
                // Watched anew, so that the kernel is not silent: what is still there it reports again.
                return;
            }
            registration.interest = 0;
        }
        if (wanted != 0) {
            registration.handler.onReady(wanted);
        }
        if ((ready & STOP) != 0 && registrationOfOrNull(event) == registration) {
            // What is behind the place where a read stops has come already, so that no edge follows.
            followed = true;
            if (registration.trigger == EDGE) {
                report(Memory.getInt(event + DATA_OFFSET), registration, LEVEL);
            }
        }
    }

    private static int flags(int interest, int trigger) {
        return interest | trigger | ((interest & READ) == 0 ? 0 : EPOLLRDHUP);
    }

    /** Has the kernel report again what is there. */
    private void report(int fd, Registration registration, int trigger) {
        int result = control(EPOLL_CTL_MOD, fd, flags(registration.interest, trigger), registration.generation);
        if (result == 0) {
            registration.trigger = trigger;
        }
    }

    /** The registration that a fetched event belongs to, or null if it is gone. */
    private Registration registrationOfOrNull(long event) {
        Registration registration = registrationOrNull(Memory.getInt(event + DATA_OFFSET));
        return registration != null && registration.generation == Memory.getInt(event + DATA_OFFSET + 4)
                ? registration
                : null;
    }

    /**
     * Has the next poll fetch again what was fetched and is not handed out. It comes by itself, except what the kernel
     * reports once.
     */
    public void giveBack(int count) {
        askAgain(0, count);
    }

    /** {@link #giveBack} of the events from that one on whose handler has thrown. */
    private void askAgain(int from, int count) {
        for (int i = from; i < count; i++) {
            long event = events + (long) i * EVENT_SIZE;
            Registration registration = registrationOfOrNull(event);
            if (registration != null && registration.trigger != LEVEL && registration.interest != 0) {
                report(Memory.getInt(event + DATA_OFFSET), registration, registration.trigger);
            }
        }
    }

    /** From now on the events of one poll are handed out in a random order, for tests. */
    public void shuffle(RandomGenerator random) {
        shuffleOrNull = new EventShuffle(random, EVENT_SIZE);
    }

    /** Ends a wait, or the next one. Any thread, but not at the same time as {@link #close}. */
    public void wakeup() {
        if (!closed) {
            wakeCalls.write(wakeFd, wakeValue, 8);
        }
    }

    public void forEachHandler(Consumer<FdHandler> action) {
        for (Registration registration : byFd) {
            if (registration != null) {
                action.accept(registration.handler);
            }
        }
    }

    private Registration registrationOrNull(int fd) {
        return fd >= 0 && fd < byFd.length ? byFd[fd] : null;
    }

    private int nextGeneration() {
        generations = generations == Integer.MAX_VALUE ? 1 : generations + 1;
        return generations;
    }

    private int control(int operation, int fd, int interest, int generation) {
        if (closed) {
            return -Errno.EBADF;
        }
        Memory.putInt(change, interest);
        Memory.putInt(change + DATA_OFFSET, fd);
        Memory.putInt(change + DATA_OFFSET + 4, generation);
        return calls.epollCtl(epoll, operation, fd, change);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        Arrays.fill(byFd, null);
        calls.close(wakeFd);
        calls.close(epoll);
    }
}
