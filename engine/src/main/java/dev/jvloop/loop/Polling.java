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
    /**
     * So many iterations behind the beginning of a run, a wait, I/O or a new watch poll each, as asyncio's do: where a
     * program's client and server share the loop, what one end writes is read in the turn that asyncio reads it in. A
     * chain of callbacks for which polls would count is longer.
     */
    private static final int POLLS_BEHIND_IO = 16;

    private final EventLoop loop;
    private final Poller poller;
    private final Schedule schedule;
    private final Sleep sleep;
    private final Looks looks = new Looks();
    private long nextNanos;
    /** How many iterations go by that poll, whatever the time. */
    private int pollsLeft;
    /** The time at the beginning of this iteration, and whether some has gone by since. */
    private long startNanos;

    private boolean startIsPast;

    private boolean receivedLarge;

    Polling(EventLoop loop, Poller poller, Schedule schedule, Sleep sleep) {
        this.loop = loop;
        this.poller = poller;
        this.schedule = schedule;
        this.sleep = sleep;
    }

    /** Has the next iterations poll: a run begins, there is I/O, or what is known of the time is of no use. */
    void pollNext() {
        pollsLeft = POLLS_BEHIND_IO;
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
        boolean looksNow = waits || !schedule.timers().isEmpty();
        long now = looksNow ? looks.nanos(clock) : looks.recentNanos(clock);
        startNanos = now;
        if (poller.hasNewWatch()) {
            pollNext();
        }
        startIsPast = waits || pollsLeft > 0 || now >= nextNanos;
        return startIsPast ? fetchNow(clock, now, waits, limitNanos) : 0;
    }

    private int fetchNow(Clock clock, long now, boolean waits, long limitNanos) {
        int events = waits ? waitForIo(clock, now, limitNanos) : pollWithoutWaiting(now);
        if (waits || events > 0) {
            pollNext();
        } else if (pollsLeft > 0) {
            pollsLeft--;
        }
        return events;
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
            return arrived;
        }
        loop.handles().freeSome();
        long realWait = clock.beginWait(timeout, limitNanos);
        int count = realWait == 0 ? 0 : sleep.untilIo(loop, realWait);
        clock.endWait(count);
        if ((int) PyErrors.PyErr_CheckSignals() != 0) {
            poller.giveBack(count);
            throw PythonError.SET;
        }
        // Nobody asks why a wait has failed: see BlockingWait. If it was no signal, the next poll fails as well.
        return count;
    }

    private int pollWithoutWaiting(long now) {
        Gil.checkpoint();
        // A clock that somebody sets says nothing of how long it has been: by that one each iteration polls.
        nextNanos = loop.clock().isMonotonic() ? now + INTERVAL_NANOS : Long.MIN_VALUE;
        return poll();
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
