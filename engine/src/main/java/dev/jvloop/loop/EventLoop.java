package dev.jvloop.loop;

import dev.jvloop.capi.Memory;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.FdHandler;
import dev.jvloop.linux.Poller;
import dev.jvloop.linux.SystemCalls;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Gil;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * The state of one {@code jvloop.Loop}: ready queue, timers, poller, and the iteration over them.
 *
 * <p>The loop runs on the Python thread that called {@code run_forever}. Everything here is guarded by the GIL, which
 * is released only while {@link Poller#await} blocks.
 */
public final class EventLoop {
    /** What a Python class may override, as {@code _loop.py} numbers it: {@code time}, whose result is the clock then. */
    private static final int OWN_TIME = 1;
    /** {@code time} or {@code call_at}: {@code call_later} must go through them. */
    private static final int OWN_TIMERS = 2;
    /** Any method that {@code asyncio.sleep}, and what that calls, uses. */
    private static final int OWN_SCHEDULING = 4;

    private static final long RUN_IN_DEBUG = Namespace.object("helper.run_handle_in_debug");

    /** While callbacks keep the loop busy, I/O is polled at least this often. */
    private static final long POLL_INTERVAL_NANOS = 50_000;
    /** asyncio's longest wait in its selector: a day. Longer ones only repeat it. */
    private static final long MAX_WAIT_NANOS = 24L * 3600 * 1_000_000_000L;

    static final long FOREVER = -1;

    private final long self;
    /** What {@code Loop.time} reads. */
    private final Clock ownClock;
    /** What timers go by: the same, unless the Python class overrides {@code time}. */
    private final Clock clock;

    private final boolean strict;
    private final int overridden;
    private final SystemCalls calls = new SystemCalls();
    private final Poller poller = new Poller(calls);
    private final Handles handles;
    private final ReadyQueue ready = new ReadyQueue();
    private final Arena arena = Arena.ofAuto();
    private final IoScratch scratch = new IoScratch(arena);
    private final Timers timers;
    private FdHandler[] owners = new FdHandler[64];
    private long nextPollNanos;
    /** Whether somebody waits on the poller, here or outside. Read and written with the GIL held. */
    private boolean sleeping;

    private boolean running;
    private boolean watchedFromOutside;
    /** Whether the next run is a single iteration, how long that may wait, and whether {@code stop} ended it. */
    private boolean runsOnce;

    private long waitLimitNanos = FOREVER;
    private boolean stoppedOnce;

    private boolean closed;

    /**
     * @param self borrowed reference to the Python loop, which outlives this object
     * @param overridden what the Python class overrides: {@link #OWN_TIME} and the like
     * @param strict whether a negative delay is an error, and {@code time()} starts near zero
     */
    EventLoop(long self, int overridden, boolean strict) {
        this.self = self;
        this.handles = new Handles(self);
        this.timers = new Timers(handles, scratch);
        this.ownClock = Clock.monotonicSince(strict ? System.nanoTime() : 0);
        this.clock = (overridden & OWN_TIME) != 0 ? Clock.ofPythonMethod(self) : ownClock;
        this.strict = strict;
        this.overridden = overridden;
    }

    /** A borrowed reference to the Python loop. */
    public long self() {
        return self;
    }

    public Poller poller() {
        return poller;
    }

    public SystemCalls calls() {
        return calls;
    }

    public IoScratch scratch() {
        return scratch;
    }

    public Clock clock() {
        return clock;
    }

    public boolean isDebug() {
        return Memory.getLong(self + LoopLayout.DEBUG) != Py.FALSE
                && Py.isTrue(Memory.getLong(self + LoopLayout.DEBUG));
    }

    boolean isStrict() {
        return strict;
    }

    boolean hasOwnTimers() {
        return (overridden & OWN_TIMERS) != 0;
    }

    boolean hasOwnScheduling() {
        return (overridden & OWN_SCHEDULING) != 0;
    }

    /** Raises ValueError for a delay below 0. */
    void checkDelay(long delay) {
        if ((Py.isFloat(delay) || Py.isInt(delay)) && Py.toDouble(delay) < 0) {
            throw PyErr.raise(PyErr.VALUE_ERROR, "a strict loop takes no negative delay");
        }
    }

    /** Whether a scheduling call has to go through asyncio's checks. */
    boolean needsChecks() {
        return isDebug() || isClosed();
    }

    /** Whether {@code Loop.close} was called (the Python side's own flag). */
    public boolean isClosed() {
        return Memory.getLong(self + LoopLayout.CLOSED) == Py.TRUE;
    }

    private boolean isStopping() {
        return Memory.getLong(self + LoopLayout.STOPPING) == Py.TRUE;
    }

    /** Loop time in seconds. */
    public double time() {
        return Clock.toSeconds(clock.nanos());
    }

    /** The same as Java's {@code Loop.time} gives it, whatever a subclass does. */
    double ownTime() {
        return Clock.toSeconds(ownClock.nanos());
    }

    Handles handles() {
        return handles;
    }

    Timers timers() {
        return timers;
    }

    // ---- scheduling ----

    /** Queues a handle and returns a new reference to it for the caller. */
    public long schedule(long ownedHandle) {
        ready.push(Refs.incref(ownedHandle));
        return ownedHandle;
    }

    /** Queues a callback as {@code call_soon} does. */
    public void callSoon(long callback, long arguments, long count, long context) {
        ready.push(handles.newHandle(callback, arguments, count, context));
    }

    /** Queues a handle that others hold too; one that was cancelled is left out. */
    public void addCallback(long handle) {
        if (!Handles.isHandle(handle)) {
            throw PyErr.raise(PyErr.TYPE_ERROR, "an asyncio.Handle is required, not " + Py.typeName(handle));
        }
        if (!Handles.isCancelled(handle)) {
            ready.push(Refs.incref(handle));
        }
    }

    /** Takes up a TimerHandle; returns a new reference to it for the caller. */
    long scheduleTimer(double when, long ownedTimerHandle) {
        timers.add(Clock.deadlineNanos(when), Refs.incref(ownedTimerHandle));
        return ownedTimerHandle;
    }

    /** A new reference to a future that wakes after {@code seconds}. */
    long newSleep(double seconds) {
        return timers.newSleep(Clock.deadlineNanos(time() + seconds));
    }

    void noteTimerCancelled(long timerHandle) {
        if (Handles.isScheduled(timerHandle)) {
            timers.noteCancelled();
        }
    }

    /**
     * Removes one direction of a watch, or stops a listener or transport.
     *
     * @return whether there was something to remove
     */
    boolean unwatch(int fd, int direction) {
        FdHandler handler = poller.handlerOrNull(fd);
        if (handler == null) {
            return false;
        }
        if (handler instanceof FdWatch) {
            return FdWatch.remove(this, fd, direction, 0);
        }
        poller.unwatch(fd);
        release(handler);
        return true;
    }

    /** Notes which handler owns a descriptor, watched or not; null when it gives it up. */
    public void setOwner(int fd, FdHandler ownerOrNull) {
        if (fd >= owners.length) {
            owners = Arrays.copyOf(owners, Math.max(fd + 1, owners.length * 2));
        }
        owners[fd] = ownerOrNull;
    }

    public FdHandler ownerOrNull(int fd) {
        return fd >= 0 && fd < owners.length ? owners[fd] : null;
    }

    /** Ends a blocking wait of this loop. Any thread that holds the GIL. */
    public void wakeup() {
        if (sleeping && !closed) {
            sleeping = false;
            poller.wakeup();
        }
    }

    // ---- running ----

    /**
     * Runs iterations until {@code stop()} was called; a single one after {@link #limitRun}.
     *
     * @throws PythonError SystemExit or KeyboardInterrupt out of a callback, or what a signal handler raised
     */
    public void run() {
        nextPollNanos = Long.MIN_VALUE;
        running = true;
        sleeping = false;
        try {
            do {
                iterate();
            } while (!isStopping() && !runsOnce);
        } finally {
            running = false;
            sleeping = watchedFromOutside;
        }
        if (runsOnce) {
            stoppedOnce = isStopping();
            // What called this goes on until stop().
            Refs.setSlot(self + LoopLayout.STOPPING, Refs.incref(Py.TRUE));
        }
    }

    /** Makes the next run one iteration that waits for up to {@code timeoutNanos}; negative: for ever. */
    void limitRun(long timeoutNanos) {
        runsOnce = true;
        waitLimitNanos = timeoutNanos;
        stoppedOnce = false;
    }

    /** @return whether {@code stop()} was called before the end of the run */
    boolean unlimitRun() {
        runsOnce = false;
        waitLimitNanos = FOREVER;
        return stoppedOnce;
    }

    /** From now on {@link #wakeup} makes the poller's descriptor readable between runs too. */
    void watchFromOutside() {
        watchedFromOutside = true;
        if (!running) {
            sleeping = true;
        }
    }

    /** Loop time at which there is something to run, NaN if nothing but I/O would change that. */
    double nextDeadlineSeconds() {
        if (!ready.isEmpty() || isStopping()) {
            return time();
        }
        timers.dropCancelled();
        return timers.isEmpty() ? Double.NaN : Clock.toSeconds(timers.firstDeadline());
    }

    /** One iteration: 1. wait for I/O and hand it out, 2. take the timers that are due, 3. run what is ready. */
    private void iterate() {
        timers.dropCancelled();
        long now = clock.nanos();
        if (ready.isEmpty() && !isStopping()) {
            waitForIo(now);
        } else if (now >= nextPollNanos) {
            pollWithoutWaiting(now);
        }
        takeDueTimers();
        runReady();
    }

    private void waitForIo(long now) {
        long timeout = waitLimitNanos;
        if (!timers.isEmpty()) {
            long untilTimer = nanosUntil(timers.firstDeadline(), now);
            timeout = timeout == FOREVER ? untilTimer : Math.min(timeout, untilTimer);
        }
        if (timeout == 0) {
            pollWithoutWaiting(now);
            return;
        }
        // What arrived while the callbacks ran needs no wait, and so no release of the GIL.
        if (poller.pollNow() > 0) {
            nextPollNanos = now + POLL_INTERVAL_NANOS;
            return;
        }
        int count = sleep(timeout);
        if ((int) PyErrors.PyErr_CheckSignals() != 0) {
            throw PythonError.SET;
        }
        if (count > 0) {
            poller.dispatch(count);
        } else if (count < 0 && count != -Errno.EINTR) {
            throw PyErr.raiseOsError(-count);
        }
        nextPollNanos = Long.MIN_VALUE;
    }

    private static long nanosUntil(long deadline, long now) {
        if (deadline <= now) {
            return 0;
        }
        long nanos = deadline - now;
        return nanos < 0 ? MAX_WAIT_NANOS : Math.min(nanos, MAX_WAIT_NANOS);
    }

    private int sleep(long timeoutNanos) {
        sleeping = true;
        long threadState = Gil.release();
        int count;
        try {
            count = poller.await(timeoutNanos);
        } finally {
            Gil.acquire(threadState);
            sleeping = false;
        }
        return count;
    }

    private void pollWithoutWaiting(long now) {
        poller.pollNow();
        nextPollNanos = now + POLL_INTERVAL_NANOS;
    }

    private void takeDueTimers() {
        if (!timers.isEmpty()) {
            timers.takeDue(clock.nanos(), ready);
        }
    }

    /** Runs what is ready now; what the callbacks add is for the next iteration. */
    private void runReady() {
        int count = ready.size();
        for (int i = 0; i < count && !ready.isEmpty(); i++) {
            long ownedHandle = ready.pop();
            if (Handles.isCancelled(ownedHandle)) {
                handles.recycle(ownedHandle);
            } else if (isDebug()) {
                Calls.run(RUN_IN_DEBUG, self, new Calls.Owned(ownedHandle));
            } else {
                handles.run(ownedHandle);
            }
        }
    }

    // ---- the cyclic garbage collector, and the end ----

    /** Calls {@code visit} with each Python object that this loop owns a reference to. */
    void visitReferences(LongConsumer visit) {
        ready.forEach(visit);
        timers.forEach(visit);
        handles.visitReferences(visit);
        poller.forEachHandler(handler -> {
            if (handler instanceof ReferenceHolder holder) {
                holder.visitReferences(visit);
            }
        });
    }

    /** Drops every handle that is still queued, as {@code Loop.close} does. */
    public void clearQueues() {
        while (!ready.isEmpty()) {
            Refs.decref(ready.pop());
        }
        timers.clear();
    }

    /** Gives back descriptors and memory. The loop is not running. */
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        clearQueues();
        handles.clear();
        poller.forEachHandler(EventLoop::release);
        poller.close();
        scratch.close();
    }

    private static void release(FdHandler handler) {
        if (handler instanceof ReferenceHolder holder) {
            holder.releaseReferences();
        }
    }
}
