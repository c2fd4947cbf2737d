package dev.jvloop.loop;

import java.util.function.LongConsumer;

/**
 * FIFO of the handles to run: owned references in a ring that grows and never shrinks below its working size.
 * Guarded by the GIL.
 */
public final class ReadyQueue {
    private static final int INITIAL_CAPACITY = 256;
    private static final int SHRINK_ABOVE = 64 * 1024;

    private long[] ring = new long[INITIAL_CAPACITY];
    private int head;
    private int size;

    public void push(long ownedHandle) {
        if (size == ring.length) {
            resize(ring.length * 2);
        }
        ring[(head + size) & (ring.length - 1)] = ownedHandle;
        size++;
    }

    /** The next owned handle. The queue must not be empty. */
    public long pop() {
        long ownedHandle = ring[head];
        ring[head] = 0;
        head = (head + 1) & (ring.length - 1);
        size--;
        if (size == 0 && ring.length > SHRINK_ABOVE) {
            ring = new long[INITIAL_CAPACITY];
            head = 0;
        }
        return ownedHandle;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    public int size() {
        return size;
    }

    public void forEach(LongConsumer action) {
        for (int i = 0; i < size; i++) {
            action.accept(ring[(head + i) & (ring.length - 1)]);
        }
    }

    private void resize(int capacity) {
        long[] larger = new long[capacity];
        for (int i = 0; i < size; i++) {
            larger[i] = ring[(head + i) & (ring.length - 1)];
        }
        ring = larger;
        head = 0;
    }
}
