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
    private static final long RUN_IN_DEBUG = Namespace.object("helper.run_handle_in_debug");

    /** While callbacks keep the loop busy, I/O is polled at least this often. */
    private static final long POLL_INTERVAL_NANOS = 50_000;
    /** asyncio's longest wait in its selector: a day. Longer ones only repeat it. */
    private static final long MAX_WAIT_NANOS = 24L * 3600 * 1_000_000_000L;

    private static final long FOREVER = -1;

    private final long self;
    private final Clock clock;
    private final boolean strict;
    private final boolean ownTimers;
    private final SystemCalls calls = new SystemCalls();
    private final Poller poller = new Poller(calls);
    private final Handles handles;
    private final ReadyQueue ready = new ReadyQueue();
    private final TimerHeap timers = new TimerHeap();
    private final Arena arena = Arena.ofAuto();
    private final IoScratch scratch = new IoScratch(arena);
    private FdHandler[] owners = new FdHandler[64];
    private long nextPollNanos;
    /** Read and written with the GIL held. */
    private boolean sleeping;

    private boolean closed;

    /**
     * @param self borrowed reference to the Python loop, which outlives this object
     * @param strict whether a negative delay is an error
     * @param ownTimers whether the Python class overrides {@code time} or {@code call_at}, so that {@code call_later}
     *     must go through them
     */
    EventLoop(long self, Clock clock, boolean strict, boolean ownTimers) {
        this.self = self;
        this.handles = new Handles(self);
        this.clock = clock;
        this.strict = strict;
        this.ownTimers = ownTimers;
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
        return ownTimers;
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

    Handles handles() {
        return handles;
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
        compactTimers();
        timers.push(Clock.deadlineNanos(when), Refs.incref(ownedTimerHandle));
        return ownedTimerHandle;
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
     * Runs iterations until {@code stop()} was called.
     *
     * @throws PythonError SystemExit or KeyboardInterrupt out of a callback, or what a signal handler raised
     */
    public void runUntilStopped() {
        nextPollNanos = Long.MIN_VALUE;
        do {
            iterate();
        } while (!isStopping());
    }

    /** One iteration: 1. wait for I/O and hand it out, 2. take the timers that are due, 3. run what is ready. */
    private void iterate() {
        dropCancelledTimers();
        long now = clock.nanos();
        if (ready.isEmpty() && !isStopping()) {
            waitForIo(now);
        } else if (now >= nextPollNanos) {
            pollWithoutWaiting(now);
        }
        takeDueTimers();
        runReady();
    }

    private void compactTimers() {
        if (timers.wantsCompaction()) {
            timers.compact(Handles::isCancelled, ownedHandle -> {
                Handles.setScheduled(ownedHandle, false);
                handles.recycle(ownedHandle);
            });
        }
    }

    private void dropCancelledTimers() {
        compactTimers();
        while (!timers.isEmpty() && Handles.isCancelled(timers.firstHandle())) {
            timers.noteCancelledLeft();
            long ownedHandle = timers.pop();
            Handles.setScheduled(ownedHandle, false);
            handles.recycle(ownedHandle);
        }
    }

    private void waitForIo(long now) {
        long timeout = FOREVER;
        if (!timers.isEmpty()) {
            long deadline = timers.firstDeadline();
            timeout = deadline <= now ? 0 : Math.min(deadline - now, MAX_WAIT_NANOS);
            if (timeout < 0) {
                timeout = MAX_WAIT_NANOS;
            }
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
        if (timers.isEmpty()) {
            return;
        }
        long now = clock.nanos();
        while (!timers.isEmpty() && timers.firstDeadline() <= now) {
            long ownedHandle = timers.pop();
            if (Handles.isCancelled(ownedHandle)) {
                timers.noteCancelledLeft();
            }
            Handles.setScheduled(ownedHandle, false);
            ready.push(ownedHandle);
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
        while (!timers.isEmpty()) {
            long ownedHandle = timers.pop();
            Handles.setScheduled(ownedHandle, false);
            Refs.decref(ownedHandle);
        }
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
    }

    private static void release(FdHandler handler) {
        if (handler instanceof ReferenceHolder holder) {
            holder.releaseReferences();
        }
    }
}
