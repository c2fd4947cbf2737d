package dev.jvloop.loop;

import dev.jvloop.capi.Version;
import dev.jvloop.py.Refs;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;

/**
 * What a loop has to run and when: callbacks that are ready, timers, and in free-threaded Python what other threads have
 * left for it.
 *
 * <p>Guarded by the GIL. In free-threaded Python it belongs to the thread that has the loop's {@link ThreadClaim}; what
 * others want to add or to take out goes through the {@link Mailbox}.
 */
final class Schedule {
    private final Handles handles;
    private final ReadyQueue ready = new ReadyQueue();
    private final Timers timers;
    /** Null with a GIL, as the mailbox. */
    private final ThreadClaim claimOrNull;

    private final Mailbox mailboxOrNull;
    /** Releasing a handle that was left may run code that asks for the next deadline, and so for what was left. */
    private boolean takingMail;

    private TaskShuffle shuffleOrNull;

    Schedule(Handles handles, IoScratch scratch, ThreadClaim claimOrNull, Mailbox mailboxOrNull) {
        this.handles = handles;
        this.timers = new Timers(scratch);
        this.claimOrNull = claimOrNull;
        this.mailboxOrNull = mailboxOrNull;
    }

    /** Whether the calling thread may touch the queues: it has the GIL or, without one, the loop. */
    boolean isMine() {
        return !Version.FREE_THREADED || claimOrNull.isMine();
    }

    ReadyQueue ready() {
        return ready;
    }

    Timers timers() {
        return timers;
    }

    /** From now on what asyncio promises no order for runs in a random one. */
    void shuffle(TaskShuffle shuffle) {
        shuffleOrNull = shuffle;
        timers.shuffle(shuffle);
    }

    // ---- adding and taking out ----

    /** Has a handle run in the next iteration. */
    void add(long ownedHandle) {
        if (isMine()) {
            ready.push(ownedHandle);
        } else {
            post(ownedHandle, Mailbox.NOW);
        }
    }

    /**
     * Has a handle run at its time.
     *
     * @return false if it was left for another thread, which may sleep
     */
    boolean addTimer(long deadlineNanos, long ownedTimerHandle) {
        if (isMine()) {
            timers.add(deadlineNanos, ownedTimerHandle);
            return true;
        }
        post(ownedTimerHandle, Math.max(deadlineNanos, Mailbox.EARLIEST));
        return false;
    }

    /**
     * Takes out a TimerHandle that is being cancelled.
     *
     * @param inIteration whether an iteration follows, which gives back what can be used again
     */
    void removeTimer(long timerHandle, boolean inIteration) {
        if (isMine()) {
            if (!timers.remove(timerHandle)) {
                return;
            }
            if (inIteration && !Version.FREE_THREADED) {
                handles.recycleSoon(timerHandle);
            } else {
                Refs.decref(timerHandle);
            }
        } else if (Handles.isScheduled(timerHandle)) {
            post(Refs.incref(timerHandle), Mailbox.CANCELLED);
        }
    }

    /** Leaves a handle for the loop's thread. */
    private void post(long ownedHandle, long deadlineNanos) {
        if (!mailboxOrNull.put(ownedHandle, deadlineNanos)) {
            // Asked a moment ago, the loop was open. Nobody will run what a closed loop is given, nor free it.
            Handles.cancel(ownedHandle);
            Refs.decref(ownedHandle);
        }
    }

    /** Brings what other threads have left to where it belongs; with a GIL they leave nothing. */
    void takeMail() {
        if (Version.FREE_THREADED) {
            takeFromMailbox();
        }
    }

    private void takeFromMailbox() {
        if (takingMail || mailboxOrNull.isEmpty()) {
            return;
        }
        takingMail = true;
        int count = mailboxOrNull.take();
        for (int i = 0; i < count; i++) {
            long deadline = mailboxOrNull.takenDeadline(i);
            long ownedHandle = mailboxOrNull.takenHandle(i);
            if (deadline == Mailbox.NOW) {
                ready.push(ownedHandle);
            } else if (deadline == Mailbox.CANCELLED) {
                removeTimer(ownedHandle, false);
                Refs.decref(ownedHandle);
            } else {
                timers.add(deadline, ownedHandle);
            }
        }
        takingMail = false;
    }

    // ---- running ----

    /** Puts the timers that are due behind what is ready. */
    void takeDueTimers(long now) {
        timers.takeDue(now, ready);
    }

    /** What is ready, the first {@code count} in the order in which they are to run. */
    ReadyQueue readyInOrder(int count) {
        if (shuffleOrNull != null) {
            shuffleOrNull.shuffle(ready, count);
        }
        return ready;
    }

    // ---- what programs that look into a loop see ----

    /** New references to the handles that are ready, in their order. */
    long[] newReferencesToReady() {
        takeMail();
        return newReferences(ready::forEach);
    }

    /** New references to the TimerHandles that wait, in no order. */
    long[] newReferencesToTimers() {
        takeMail();
        return newReferences(timers::forEachHandle);
    }

    private static long[] newReferences(Consumer<LongConsumer> forEachHandle) {
        LongStream.Builder handles = LongStream.builder();
        forEachHandle.accept(handle -> handles.add(Refs.incref(handle)));
        return handles.build().toArray();
    }

    // ---- the cyclic garbage collector, and the end ----

    /** Shows each owned reference. */
    void visitReferences(LongConsumer visit) {
        ready.forEach(visit);
        timers.forEach(visit);
        if (Version.FREE_THREADED) {
            mailboxOrNull.forEach(visit);
        }
        handles.visitReferences(visit);
    }

    /** Drops every handle that is still queued. */
    void clear() {
        takeMail();
        while (!ready.isEmpty()) {
            Refs.decref(ready.pop());
        }
        timers.clear();
    }
}
