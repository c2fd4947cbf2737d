package dev.jvloop.loop;

import dev.jvloop.capi.PyErrors;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.Poller;
import dev.jvloop.py.Gil;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;

/**
 * The beginning of an iteration: whether a loop asks the kernel for I/O, and whether it waits for it.
 *
 * <p>A loop that has nothing to run waits, in {@link Sleep}, without the GIL. One that is busy polls without waiting, but
 * not in each iteration: a poll takes as long as several short callbacks.
 */
final class Polling {
    /** While callbacks keep the loop busy, I/O is polled at least this often. */
    private static final long INTERVAL_NANOS = 50_000;

    private final EventLoop loop;
    private final Poller poller;
    private final Schedule schedule;
    private final Sleep sleep;
    private final Looks looks = new Looks();
    private long nextNanos;
    /** Whether the last iteration waited. */
    private boolean hasWaited;
    /** The time at the beginning of this iteration, and whether some has gone by since. */
    private long startNanos;

    private boolean startIsPast;
    /** The number of an iteration that goes without a poll. */
    private long leftOut = -1;

    private boolean receivedLarge;

    Polling(EventLoop loop, Poller poller, Schedule schedule, Sleep sleep) {
        this.loop = loop;
        this.poller = poller;
        this.schedule = schedule;
        this.sleep = sleep;
    }

    /** A run begins. */
    void begin() {
        pollNext();
        hasWaited = false;
    }

    /** The next iteration polls: what is known of the time is of no use. */
    void pollNext() {
        nextNanos = Long.MIN_VALUE;
    }

    /**
     * Has the next iteration go without a poll: it runs what the last events have queued. A poll between would part into
     * smaller batches what comes with one.
     */
    void leaveNextOut() {
        leftOut = loop.iterationCount() + 1;
    }

    /** Notes that a message was large. */
    void noteLargeMessage() {
        receivedLarge = true;
    }

    /**
     * Waits for I/O, or polls, where it is time to.
     *
     * @param limitNanos how long a wait may take at most, whatever the timers say; negative: for ever
     * @return how many events the poller has fetched and is to hand out; 0 or less: none
     * @throws PythonError what a signal handler raised; OSError if the poller is broken
     */
    int fetch(long limitNanos) {
        Clock clock = loop.clock();
        boolean waits = schedule.ready().isEmpty() && !loop.isStopping();
        boolean looksNow = hasWaited || waits || !schedule.timers().isEmpty();
        long now = looksNow ? looks.nanos(clock) : looks.recentNanos(clock);
        if (hasWaited) {
            // The wait was a poll. Not noted then: the time after it is known now, without another look at the clock.
            hasWaited = false;
            notePoll(now);
        }
        startNanos = now;
        startIsPast = waits || now >= nextNanos && loop.iterationCount() != leftOut;
        if (waits) {
            return waitForIo(clock, now, limitNanos);
        }
        return startIsPast ? pollWithoutWaiting(now) : 0;
    }

    /** The time by which timers are due, of which there is one: that behind the poll, if there was one. */
    long nanos() {
        return startIsPast ? loop.clock().nanos() : startNanos;
    }

    private int waitForIo(Clock clock, long now, long limitNanos) {
        long timeout = limitNanos;
        Timers timers = schedule.timers();
        if (!timers.isEmpty()) {
            long untilTimer = timers.nanosUntilFirst(now);
            timeout = timeout == EventLoop.FOREVER ? untilTimer : Math.min(timeout, untilTimer);
        }
        if (timeout == 0) {
            return pollWithoutWaiting(now);
        }
        // Of callbacks that nobody else tells the end of, such as a protocol factory.
        loop.callbackEnd().reached();
        // What arrived while the callbacks ran needs no wait, and so no release of the GIL.
        int arrived = poll();
        if (arrived > 0) {
            notePoll(now);
            return arrived;
        }
        loop.handles().freeSome(timers.count());
        long realWait = clock.beginWait(timeout, limitNanos);
        int count = realWait == 0 ? 0 : sleep.untilIo(loop, realWait);
        clock.endWait(count);
        if ((int) PyErrors.PyErr_CheckSignals() != 0) {
            poller.giveBack(count);
            throw PythonError.SET;
        }
        hasWaited = true;
        // Nobody asks why a wait has failed: see BlockingWait. If it was no signal, the next poll fails as well.
        return count;
    }

    private int pollWithoutWaiting(long now) {
        Gil.checkpoint();
        notePoll(now);
        return poll();
    }

    /** A clock that somebody sets says nothing of how long it has been: by that one each iteration polls. */
    private void notePoll(long now) {
        nextNanos = loop.clock().isMonotonic() ? now + INTERVAL_NANOS : Long.MIN_VALUE;
    }

    private int poll() {
        loop.beforePoll().run();
        limitNext();
        int count = poller.fetchNow();
        if (count < 0 && count != -Errno.EINTR) {
            throw PyErr.raiseOsError(-count);
        }
        return count;
    }

    /**
     * Has the next poll fetch few events if the last one brought large messages. Where these wake tasks, as streams
     * do, each is handled while it is in the processor's cache: a stream server that echoes 100 KiB on 100 connections
     * takes 59 us of CPU time a message instead of 71.
     */
    private void limitNext() {
        poller.fetchFew(receivedLarge);
        receivedLarge = false;
    }
}
