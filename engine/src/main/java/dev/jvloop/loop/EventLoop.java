package dev.jvloop.loop;

import dev.jvloop.capi.Version;
import dev.jvloop.foreign.Memory;
import dev.jvloop.linux.FaultySystemCalls;
import dev.jvloop.linux.FdHandler;
import dev.jvloop.linux.Poller;
import dev.jvloop.linux.SystemCalls;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import dev.jvloop.py.ThreadGuard;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import java.util.random.RandomGenerator;

/**
 * The state of one {@code jvloop.Loop}, and the iteration over it. What there is to run is in the {@link Schedule}, when
 * the kernel is asked for I/O in {@link Polling}, and how the loop waits, and what wakes it, in {@link Sleep}.
 *
 * <p>The loop runs on the Python thread that called {@code run_forever}. Everything here is guarded by the GIL, which
 * is released only while {@link Poller#await} blocks. In free-threaded Python it belongs to the thread that has the
 * {@link ThreadClaim}; others leave what is to be scheduled in the {@link Mailbox}.
 */
public final class EventLoop {
    /** What a subclass or a patched loop overrides, by {@code _loop.py}'s numbers: {@code time}, the clock then. */
    private static final int OWN_TIME = 1;
    /** {@code time} or {@code call_at}: {@code call_later} must go through them. */
    private static final int OWN_TIMERS = 2;
    /** Any method that {@code asyncio.sleep}, and what that calls, uses. */
    private static final int OWN_SCHEDULING = 4;

    private static final long RUN_IN_DEBUG = Namespace.object("helper.run_handle_in_debug");

    static final long FOREVER = -1;

    private final long self;
    /** What {@code Loop.time} reads. */
    private Clock ownClock;
    /** What timers go by: the same, unless {@code time} is overridden. */
    private Clock clock;

    private final boolean strict;
    private int overridden;
    private final SystemCalls properCalls = new SystemCalls();
    /** What transports use: the proper ones, unless a test wants faults. */
    private SystemCalls calls = properCalls;

    private FaultySystemCalls faultsOrNull;
    private final Poller poller = new Poller(properCalls);
    private final Handles handles;
    private final Arena arena = Arena.ofAuto();
    private final IoScratch scratch = new IoScratch(arena);
    private final CallbackEnd callbackEnd = new CallbackEnd();
    private final BatchEnd batchEnd = new BatchEnd();
    private final DeferredActions beforePoll = new DeferredActions();
    private final DescriptorOwners owners = new DescriptorOwners();
    private final ThreadClaim claim = Version.FREE_THREADED ? new ThreadClaim() : null;
    private final Tasks tasks = new Tasks(this);
    private final Schedule schedule;
    private final Sleep sleep;
    private final Polling polling;

    private long iterationCount;

    private boolean running;
    /** Which thread runs it. */
    private final ThreadClaim run = new ThreadClaim();

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
        this.handles = new Handles(self, scratch);
        Mailbox mailboxOrNull = Version.FREE_THREADED ? new Mailbox() : null;
        this.schedule = new Schedule(handles, scratch, claim, mailboxOrNull);
        this.sleep = new Sleep(poller, mailboxOrNull);
        this.polling = new Polling(this, poller, schedule, sleep);
        this.ownClock = Clock.monotonicSince(strict ? System.nanoTime() : 0);
        this.strict = strict;
        setOverridden(overridden);
    }

    /** Notes what is overridden from now on: {@link #OWN_TIME} and the like. */
    void setOverridden(int flags) {
        overridden = flags;
        clock = (flags & OWN_TIME) != 0 ? Clock.ofPythonMethod(self) : ownClock;
        polling.pollNext();
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

    public CallbackEnd callbackEnd() {
        return callbackEnd;
    }

    public BatchEnd batchEnd() {
        return batchEnd;
    }

    /** What is run before the next poll, or at the end of the run. Only to be added to in a callback. */
    public DeferredActions beforePoll() {
        return beforePoll;
    }

    /** Whether the loop's thread is in a callback, the end of which {@link #callbackEnd} tells. */
    public boolean isInCallback() {
        return running && !sleep.isAsleep();
    }

    public Clock clock() {
        return clock;
    }

    public boolean isDebug() {
        return Memory.getLong(self + LoopLayout.DEBUG) != Py.FALSE && isTrueSlot(LoopLayout.DEBUG);
    }

    private boolean isTrueSlot(long offset) {
        long owned = Refs.newFromSlotOrNull(self, offset);
        try {
            return owned != 0 && Py.isTrue(owned);
        } finally {
            Refs.decrefOrNull(owned);
        }
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
    public boolean needsChecks() {
        return isDebug() || isClosed();
    }

    /** Whether {@code Loop.close} was called (the Python side's own flag). */
    public boolean isClosed() {
        return Memory.getLong(self + LoopLayout.CLOSED) == Py.TRUE;
    }

    /** Whether {@code stop()} was called: this iteration is the last one. */
    public boolean isStopping() {
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

    Tasks tasks() {
        return tasks;
    }

    Timers timers() {
        return schedule.timers();
    }

    /** Where Java threads leave what this loop is to run. Asked for by the loop's thread, or before the loop runs. */
    public Inbox inbox() {
        return sleep.inbox();
    }

    // ---- scheduling ----

    /** Queues a handle and returns a new reference to it for the caller. */
    public long schedule(long ownedHandle) {
        schedule.add(Refs.incref(ownedHandle));
        return ownedHandle;
    }

    /** Queues a callback as {@code call_soon} does. */
    public void callSoon(long callback, long arguments, long count, long context) {
        schedule.add(handles.newHandle(callback, arguments, count, context));
    }

    /** Queues a handle that others hold too; one that was cancelled, or that a closed loop is given, is left out. */
    public void addCallback(long handle) {
        Handles.check(handle);
        if (!Handles.isCancelled(handle) && !isClosed()) {
            schedule.add(Refs.incref(handle));
        }
    }

    /** Whether the calling thread may touch the queues: it has the GIL or, without one, the loop. */
    boolean isMine() {
        return schedule.isMine();
    }

    /** Takes up a TimerHandle; returns a new reference to it for the caller. */
    long scheduleTimer(double when, long ownedTimerHandle) {
        if (!schedule.addTimer(Clock.deadlineNanos(when), Refs.incref(ownedTimerHandle))) {
            wakeup();
        }
        return ownedTimerHandle;
    }

    /** A new reference to a future that wakes after {@code seconds}. */
    long newSleep(double seconds) {
        return schedule.timers().newSleep(Clock.deadlineNanos(time() + seconds));
    }

    /** Takes out a TimerHandle that is being cancelled. */
    void removeTimer(long timerHandle) {
        schedule.removeTimer(timerHandle, running);
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
        owners.set(fd, ownerOrNull);
        if (faultsOrNull != null) {
            faultsOrNull.startCounting(fd);
        }
    }

    public FdHandler ownerOrNull(int fd) {
        return owners.getOrNull(fd);
    }

    /** Whether this loop runs, in the calling thread. */
    boolean isRunningHere() {
        return run.isMine();
    }

    /** Notes that a message was large. */
    public void noteLargeMessage() {
        polling.noteLargeMessage();
    }

    /** Whether callbacks wait to run. */
    private boolean hasReadyCallbacks() {
        return !schedule.ready().isEmpty();
    }

    /** New references to the handles that are ready, in their order. */
    long[] newReferencesToReady() {
        return schedule.newReferencesToReady();
    }

    /** New references to the TimerHandles that wait, in no order. */
    long[] newReferencesToTimers() {
        return schedule.newReferencesToTimers();
    }

    // What the loop was doing a moment ago: any thread may look, since it is no more than a look.

    public int readyCount() {
        return schedule.ready().size();
    }

    public int timerCount() {
        return schedule.timers().count();
    }

    public long iterationCount() {
        return iterationCount;
    }

    /** Ends a blocking wait of this loop. Any thread that holds the GIL, or would. */
    public void wakeup() {
        sleep.wake();
    }

    // ---- running ----

    /**
     * Runs iterations until {@code stop()} was called; a single one after {@link #limitRun}.
     *
     * @throws PythonError SystemExit or KeyboardInterrupt out of a callback, or what a signal handler raised;
     *     RuntimeError if the loop is closed, or another thread has it
     */
    public void run() {
        ThreadGuard.Claim claimOrNull = claimOrNull();
        try {
            // Another thread may have closed it since run_forever() looked.
            if (closed) {
                throw PyErr.raise(PyErr.RUNTIME_ERROR, "Event loop is closed");
            }
            runClaimed();
        } finally {
            if (claimOrNull != null) {
                claimOrNull.release();
            }
        }
    }

    private void runClaimed() {
        polling.pollNext();
        ThreadGuard.Claim runOrNull = run.takeIfFreeOrNull();
        running = true;
        sleep.setAsleep(false);
        try {
            do {
                iterate();
            } while (!isStopping() && !runsOnce);
        } finally {
            try {
                // May raise: what it sends for a transport may call the protocol.
                PyErr.preserving(callbackEnd::reached);
                PyErr.preserving(batchEnd::reached);
                PyErr.preserving(beforePoll::run);
                PyErr.preserving(handles::recycleCancelledTimers);
            } finally {
                running = false;
                if (runOrNull != null) {
                    runOrNull.release();
                }
                sleep.setAsleep(watchedFromOutside);
            }
        }
        if (runsOnce) {
            stoppedOnce = isStopping();
            // What called this goes on until stop().
            Refs.setSlot(self, LoopLayout.STOPPING, Refs.incref(Py.TRUE));
        }
    }

    /**
     * Takes this loop for the calling thread, in free-threaded Python.
     *
     * @return what gives it back, or null where there is nothing to give back
     * @throws PythonError RuntimeError if another thread has it
     */
    public ThreadGuard.Claim claimOrNull() {
        return Version.FREE_THREADED ? claim.takeOrNull() : null;
    }

    /** {@link #claimOrNull} that leaves the loop to a thread that has it; {@link LoopGuard#leaveToLoopThread} follows. */
    public ThreadGuard.Claim claimIfFreeOrNull() {
        return Version.FREE_THREADED ? claim.takeIfFreeOrNull() : null;
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
            sleep.setAsleep(true);
        }
    }

    /** Loop time at which there is something to run, NaN if nothing but I/O would change that. */
    double nextDeadlineSeconds() {
        schedule.takeMail();
        Inbox inboxOrNull = sleep.inboxOrNull();
        if (hasReadyCallbacks() || isStopping() || (inboxOrNull != null && !inboxOrNull.isEmpty())) {
            return time();
        }
        Timers timers = schedule.timers();
        return timers.isEmpty() ? Double.NaN : Clock.toSeconds(timers.firstDeadline());
    }

    /** One iteration, in asyncio's order: what was ready when I/O was asked for, I/O, and the timers that are due. */
    private void iterate() {
        iterationCount++;
        // A timer that was left there says how long to wait.
        schedule.takeMail();
        Inbox inboxOrNull = sleep.inboxOrNull();
        if (inboxOrNull != null) {
            inboxOrNull.run(callbackEnd);
        }
        handles.recycleCancelledTimers();
        int events = polling.fetch(waitLimitNanos);
        schedule.takeMail();
        if (events > 0) {
            runWithEvents(events);
        } else {
            takeDueTimers();
            runReady(schedule.ready().size());
        }
    }

    private void runWithEvents(int events) {
        ReadyQueue ready = schedule.ready();
        int timerCount;
        try {
            int waiting = ready.size();
            takeDueTimers();
            timerCount = ready.size() - waiting;
            runReady(waiting);
        } catch (Throwable t) {
            poller.giveBack(events);
            throw t;
        }
        boolean onlyEvents = ready.isEmpty();
        poller.dispatch(events);
        // What events alone have queued comes next, unless a poll would find another event to stand behind that.
        runReady(onlyEvents && !poller.areFollowed() && !isStopping() ? ready.size() : timerCount);
    }

    private void takeDueTimers() {
        if (!schedule.timers().isEmpty()) {
            schedule.takeDueTimers(polling.nanos() + clock.slackNanos());
        }
    }

    /** Runs the first {@code count} of the callbacks that are ready; what they add is for the next iteration. */
    private void runReady(int count) {
        ReadyQueue ready = schedule.readyInOrder(count);
        batchEnd.begin(count);
        for (int i = 0; i < count && !ready.isEmpty(); i++) {
            runHandle(ready.pop());
            batchEnd.callbackEnded();
        }
        batchEnd.reached();
    }

    /** Runs a handle, unless it was cancelled. */
    void runHandle(long ownedHandle) {
        if (Handles.isCancelled(ownedHandle)) {
            handles.recycle(ownedHandle);
        } else if (isDebug()) {
            Calls.run(RUN_IN_DEBUG, self, new Calls.Owned(ownedHandle));
        } else {
            handles.run(ownedHandle);
        }
        callbackEnd.reached();
    }

    // ---- for tests ----

    /** Goes by another clock. Nothing is scheduled yet. */
    void useClock(VirtualClock virtual) {
        ownClock = virtual;
        clock = virtual;
    }

    /** Lets a seed decide about what asyncio promises no order for. */
    void useSeed(long seed) {
        // Not java.util.Random: seeds that differ little begin with the same numbers there.
        RandomGenerator random = new SplittableRandom(seed);
        schedule.shuffle(new TaskShuffle(random));
        poller.shuffle(random);
    }

    /** Makes the system calls of transports and listeners faulty ones; null ends that. */
    void useFaults(FaultySystemCalls faultyOrNull) {
        faultsOrNull = faultyOrNull;
        calls = faultyOrNull == null ? properCalls : faultyOrNull;
    }

    // ---- the cyclic garbage collector, and the end ----

    /** Calls {@code visit} with each Python object that this loop owns a reference to. */
    void visitReferences(LongConsumer visit) {
        schedule.visitReferences(visit);
        tasks.visitReferences(visit);
        if (clock instanceof ReferenceHolder holder) {
            holder.visitReferences(visit);
        }
        poller.forEachHandler(handler -> {
            if (handler instanceof ReferenceHolder holder) {
                holder.visitReferences(visit);
            }
        });
    }

    /** Drops every handle that is still queued, as {@code Loop.close} does. */
    public void clearQueues() {
        schedule.clear();
        tasks.releaseReferences();
    }

    /** Gives back descriptors and memory. The loop is not running. */
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        sleep.close();
        clearQueues();
        handles.clear();
        poller.forEachHandler(EventLoop::release);
        poller.close();
        scratch.close();
        if (clock instanceof ReferenceHolder holder) {
            holder.releaseReferences();
        }
    }

    private static void release(FdHandler handler) {
        if (handler instanceof ReferenceHolder holder) {
            holder.releaseReferences();
        }
    }
}
