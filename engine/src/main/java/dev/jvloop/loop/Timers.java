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
 * due: no handle, no callback, no arguments, no copy of the context. Nothing in the future says that its sleeper was
 * cancelled, and whoever cancels does not know where it is in the heap; so the futures that still sleep are also in a
 * set, and one in the heap that is not in the set counts as cancelled. Guarded by the GIL;
 * in free-threaded Python the thread that has the loop alone comes here.
 */
final class Timers {
    /** Objects are aligned, so this bit of an address is free. */
    private static final long SLEEP_TAG = 1;

    private final Handles handles;
    private final IoScratch scratch;
    private final TimerHeap heap = new TimerHeap();
    private final AddressSet sleeping = new AddressSet();
    private TaskShuffle shuffleOrNull;

    Timers(Handles handles, IoScratch scratch) {
        this.handles = handles;
        this.scratch = scratch;
    }

    boolean isEmpty() {
        return heap.isEmpty();
    }

    /** The earliest deadline. There must be one. */
    long firstDeadline() {
        return heap.firstDeadline();
    }

    /** How long to wait for the earliest deadline. There must be one. */
    long nanosUntilFirst(long now) {
        return heap.nanosUntilFirst(now);
    }

    // ---- timer handles ----

    void add(long deadlineNanos, long ownedTimerHandle) {
        compact();
        push(deadlineNanos, ownedTimerHandle);
    }

    private void push(long deadlineNanos, long ownedEntry) {
        if (shuffleOrNull == null) {
            heap.push(deadlineNanos, ownedEntry);
        } else {
            heap.push(deadlineNanos, shuffleOrNull.tieBreaker(), ownedEntry);
        }
    }

    /** From now on timers of one deadline fire in a random order. */
    void shuffle(TaskShuffle shuffle) {
        shuffleOrNull = shuffle;
    }

    /** One of the handles in here was cancelled. */
    void noteCancelled() {
        heap.noteCancelled();
    }

    /** {@code count} more of them were. */
    void noteCancelled(int count) {
        heap.noteCancelled(count);
    }

    // ---- sleeping futures ----

    /** A new reference to a new future of the running loop, whose result will be None at the deadline. */
    long newSleep(long deadlineNanos) {
        compact();
        long ownedFuture = Futures.newOfRunningLoop();
        sleeping.add(ownedFuture);
        push(deadlineNanos, Refs.incref(ownedFuture) | SLEEP_TAG);
        return ownedFuture;
    }

    /** Nobody waits for a sleeping future any more; one that is awake already is left alone. */
    void stopSleeping(long future) {
        if (sleeping.remove(future)) {
            heap.noteCancelled();
        }
    }

    private static boolean isSleep(long entry) {
        return (entry & SLEEP_TAG) != 0;
    }

    private void wake(long ownedFuture) {
        try {
            if (!sleeping.remove(ownedFuture)) {
                heap.noteCancelledLeft();
                return;
            }
            Futures.wake(scratch, ownedFuture);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedFuture));
        }
    }

    // ---- both ----

    private boolean isCancelled(long entry) {
        return isSleep(entry) ? !sleeping.contains(entry & ~SLEEP_TAG) : Handles.isCancelled(entry);
    }

    private void dropCancelledOne(long ownedEntry) {
        if (isSleep(ownedEntry)) {
            Refs.decref(ownedEntry & ~SLEEP_TAG);
        } else {
            Handles.setScheduled(ownedEntry, false);
            handles.recycle(ownedEntry);
        }
    }

    private void compact() {
        if (heap.wantsCompaction()) {
            heap.compact(this::isCancelled, this::dropCancelledOne);
        }
    }

    /** Drops what was cancelled at the front, so that {@link #firstDeadline} is one to wait for. */
    void dropCancelled() {
        compact();
        while (!heap.isEmpty() && isCancelled(heap.firstHandle())) {
            heap.noteCancelledLeft();
            dropCancelledOne(heap.pop());
        }
    }

    /** Puts the handles that are due into the ready queue, and wakes the futures that are. */
    void takeDue(long now, ReadyQueue ready) {
        while (!heap.isEmpty() && heap.firstDeadline() <= now) {
            long ownedEntry = heap.pop();
            if (isSleep(ownedEntry)) {
                wake(ownedEntry & ~SLEEP_TAG);
                continue;
            }
            if (Handles.isCancelled(ownedEntry)) {
                heap.noteCancelledLeft();
            }
            Handles.setScheduled(ownedEntry, false);
            ready.push(ownedEntry);
        }
    }

    /** Shows each owned reference. */
    void forEach(LongConsumer action) {
        heap.forEach(entry -> action.accept(entry & ~SLEEP_TAG));
    }

    /** Drops everything. */
    void clear() {
        sleeping.clear();
        while (!heap.isEmpty()) {
            long ownedEntry = heap.pop();
            if (isSleep(ownedEntry)) {
                Refs.decref(ownedEntry & ~SLEEP_TAG);
            } else {
                Handles.setScheduled(ownedEntry, false);
                Refs.decref(ownedEntry);
            }
        }
    }
}
