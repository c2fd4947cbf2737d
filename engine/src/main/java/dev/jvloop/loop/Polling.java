package dev.jvloop.loop;

import dev.jvloop.capi.PyErrors;
import dev.jvloop.capi.Version;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.Poller;
import dev.jvloop.py.Gil;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;

/**
 * The first half of an iteration: whether a loop asks the kernel for I/O, and whether it waits for it.
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
    /** Whether the last iteration waited: what was ready then is handed out. */
    private boolean hasWaited;

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

    /** Notes that a message was large. */
    void noteLargeMessage() {
        receivedLarge = true;
    }

    /**
     * Waits for I/O, or polls, where it is time to, and hands it out.
     *
     * @param limitNanos how long a wait may take at most, whatever the timers say; negative: for ever
     * @return the time by which timers are due; where there is none, about that
     * @throws PythonError what a signal handler raised, or a transport's callback; OSError if the poller is broken
     */
    long handOut(long limitNanos) {
        Clock clock = loop.clock();
        boolean waits = schedule.ready().isEmpty() && !loop.isStopping();
        boolean looksNow = hasWaited || waits || !schedule.timers().isEmpty();
        long now = looksNow ? looks.nanos(clock) : looks.recentNanos(clock);
        if (hasWaited) {
            // The wait was a poll. Not noted then: the time after it is known now, without another look at the clock.
            hasWaited = false;
            notePoll(now);
        }
        if (waits) {
            waitForIo(clock, now, limitNanos);
        } else if (now >= nextNanos) {
            pollWithoutWaiting(now);
        } else {
            return now;
        }
        if (Version.FREE_THREADED) {
            schedule.takeMail();
        }
        return schedule.timers().isEmpty() ? now : clock.nanos();
    }

    private void waitForIo(Clock clock, long now, long limitNanos) {
        long timeout = limitNanos;
        Timers timers = schedule.timers();
        if (!timers.isEmpty()) {
            long untilTimer = timers.nanosUntilFirst(now);
            timeout = timeout == EventLoop.FOREVER ? untilTimer : Math.min(timeout, untilTimer);
        }
        if (timeout == 0) {
            pollWithoutWaiting(now);
            return;
        }
        // Of callbacks that nobody else tells the end of, such as a protocol factory.
        loop.callbackEnd().reached();
        // What arrived while the callbacks ran needs no wait, and so no release of the GIL.
        if (poll() > 0) {
            notePoll(now);
            return;
        }
        loop.handles().freeSome(timers.count());
        long realWait = clock.beginWait(timeout, limitNanos);
        int count = realWait == 0 ? 0 : sleep.untilIo(loop, realWait);
        clock.endWait(count);
        if ((int) PyErrors.PyErr_CheckSignals() != 0) {
            throw PythonError.SET;
        }
        // Nobody asks why a wait has failed: see BlockingWait. If it was no signal, the next poll fails as well.
        poller.dispatch(count);
        hasWaited = true;
    }

    private void pollWithoutWaiting(long now) {
        Gil.checkpoint();
        poll();
        notePoll(now);
    }

    /** A clock that somebody sets says nothing of how long it has been: by that one each iteration polls. */
    private void notePoll(long now) {
        nextNanos = loop.clock().isMonotonic() ? now + INTERVAL_NANOS : Long.MIN_VALUE;
    }

    private int poll() {
        loop.beforePoll().run();
        limitNext();
        int count = poller.pollNow();
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
