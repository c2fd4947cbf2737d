package dev.jvloop.loop;

import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import dev.jvloop.timer.TimerHeap;
import java.util.function.LongConsumer;

/**
 * What waits for a time: the TimerHandles of {@code call_later} and {@code call_at}, and the futures of
 * {@code jvloop.aio.sleep}, in one heap, so that they wake in the order of their deadlines.
 *
 * <p>A sleeping future stands in the heap itself, told apart by its lowest address bit, and gets its result when it is
 * due: no handle, no callback, no arguments, no copy of the context.
 *
 * <p>A TimerHandle has the number of its node in a slot of its own. A future has no such slot, so that there is a map.
 * Guarded by the GIL; in free-threaded Python the thread that has the loop alone comes here.
 */
final class Timers {
    /** Objects are aligned, so this bit of an address is free. */
    private static final long SLEEP_TAG = 1;

    private final IoScratch scratch;
    private final TimerHeap heap = new TimerHeap();
    private final NodeNumbers numbers = new NodeNumbers();
    private final AddressMap nodeOfSleep = new AddressMap();
    private TaskShuffle shuffleOrNull;

    Timers(IoScratch scratch) {
        this.scratch = scratch;
    }

    boolean isEmpty() {
        return heap.isEmpty();
    }

    int count() {
        return heap.waitingCount();
    }

    /** The earliest deadline. There must be one. */
    long firstDeadline() {
        return heap.firstDeadline();
    }

    /** How long to wait for the earliest deadline. There must be one. */
    long nanosUntilFirst(long now) {
        return heap.nanosUntilFirst(now);
    }

    private int push(long deadlineNanos, long ownedEntry) {
        return shuffleOrNull == null
                ? heap.push(deadlineNanos, ownedEntry)
                : heap.push(deadlineNanos, shuffleOrNull.tieBreaker(), ownedEntry);
    }

    /** From now on timers of one deadline fire in a random order. */
    void shuffle(TaskShuffle shuffle) {
        shuffleOrNull = shuffle;
    }

    // ---- timer handles ----

    void add(long deadlineNanos, long ownedTimerHandle) {
        Handles.setNode(ownedTimerHandle, numbers.newNumber(push(deadlineNanos, ownedTimerHandle)));
    }

    /** @return whether the handle was in here; the reference is the caller's now */
    boolean remove(long timerHandle) {
        if (!Handles.isScheduled(timerHandle)) {
            return false;
        }
        int node = Handles.nodeOf(timerHandle);
        if (!heap.has(node, timerHandle)) {
            return false;
        }
        heap.cancel(node);
        Handles.setScheduled(timerHandle, false);
        return true;
    }

    // ---- sleeping futures ----

    /** A new reference to a new future of the running loop, whose result will be None at the deadline. */
    long newSleep(long deadlineNanos) {
        long ownedFuture = Futures.newOfRunningLoop();
        nodeOfSleep.add(ownedFuture, push(deadlineNanos, Refs.incref(ownedFuture) | SLEEP_TAG));
        return ownedFuture;
    }

    /** Nobody waits for a sleeping future any more; one that is awake already is left alone. */
    void stopSleeping(long future) {
        int node = nodeOfSleep.remove(future);
        if (node != AddressMap.ABSENT) {
            heap.cancel(node);
            Refs.decref(future);
        }
    }

    private static boolean isSleep(long entry) {
        return (entry & SLEEP_TAG) != 0;
    }

    private void wake(long ownedFuture) {
        nodeOfSleep.remove(ownedFuture);
        try {
            Futures.wake(scratch, ownedFuture);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedFuture));
        }
    }

    // ---- both ----

    /** Puts the handles that are due into the ready queue, and wakes the futures that are. */
    void takeDue(long now, ReadyQueue ready) {
        while (!heap.isEmpty() && heap.firstDeadline() <= now) {
            long ownedEntry = heap.pop();
            if (isSleep(ownedEntry)) {
                wake(ownedEntry & ~SLEEP_TAG);
                continue;
            }
            Handles.setScheduled(ownedEntry, false);
            ready.push(ownedEntry);
        }
        if (heap.wantsToShrink()) {
            heap.shrink(this::changeNode);
            numbers.keep(heap.nodeCapacity());
        }
    }

    private void changeNode(long entry, int node) {
        if (isSleep(entry)) {
            nodeOfSleep.replace(entry & ~SLEEP_TAG, node);
        } else {
            Handles.setNode(entry, numbers.newNumber(node));
        }
    }

    /** Shows each TimerHandle, and none of the sleeping futures. */
    void forEachHandle(LongConsumer action) {
        heap.forEach(entry -> {
            if (!isSleep(entry)) {
                action.accept(entry);
            }
        });
    }

    /** Shows each owned reference. */
    void forEach(LongConsumer action) {
        heap.forEach(entry -> action.accept(entry & ~SLEEP_TAG));
    }

    /** Drops everything. */
    void clear() {
        while (!heap.isEmpty()) {
            long ownedEntry = heap.pop();
            if (isSleep(ownedEntry)) {
                nodeOfSleep.remove(ownedEntry & ~SLEEP_TAG);
                Refs.decref(ownedEntry & ~SLEEP_TAG);
            } else {
                Handles.setScheduled(ownedEntry, false);
                Refs.decref(ownedEntry);
            }
        }
        numbers.keep(0);
    }
}
