package dev.jvloop.loop;

import java.util.function.LongConsumer;
import java.util.function.LongPredicate;

/**
 * TimerHandles that were cancelled in this iteration, oldest first: owned references.
 *
 * <p>Who cancels a timer holds its handle, and mostly lets go of it soon after: a timeout that is put off is cancelled,
 * made anew, and stored in the place of the old one. So the handle cannot be used again at once, but a moment later it
 * can, while it is still in the processor's cache.
 */
final class CancelledTimers {
    private static final int CAPACITY = 256;

    private final LongConsumer recycler;
    private final long[] ring = new long[CAPACITY];
    private int head;
    private int size;

    /** @param recycler what takes over a reference, whether somebody else holds the handle or not */
    CancelledTimers(LongConsumer recycler) {
        this.recycler = recycler;
    }

    void add(long ownedHandle) {
        if (size == CAPACITY) {
            recycleOldest();
        }
        ring[(head + size) % CAPACITY] = ownedHandle;
        size++;
    }

    /** Recycles the oldest if it fits the condition. */
    void recycleOldestIf(LongPredicate condition) {
        if (size > 0 && condition.test(ring[head])) {
            recycleOldest();
        }
    }

    void recycleAll() {
        while (size > 0) {
            recycleOldest();
        }
    }

    private void recycleOldest() {
        long ownedHandle = ring[head];
        head = (head + 1) % CAPACITY;
        size--;
        recycler.accept(ownedHandle);
    }

    void forEach(LongConsumer action) {
        for (int i = 0; i < size; i++) {
            action.accept(ring[(head + i) % CAPACITY]);
        }
    }
}
