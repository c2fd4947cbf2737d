package dev.jvloop.loop;

import dev.jvloop.py.Refs;
import java.util.Arrays;
import java.util.function.LongConsumer;

/** A stack of emptied handles, each an owned reference that nobody else has. */
final class HandlePool {
    private final int capacity;
    private long[] handles = new long[64];
    private int size;

    HandlePool(int capacity) {
        this.capacity = capacity;
    }

    boolean isEmpty() {
        return size == 0;
    }

    boolean isFull() {
        return size == capacity;
    }

    /** The pool must not be empty. */
    long takeOwned() {
        return handles[--size];
    }

    /** The pool must not be full. */
    void add(long ownedHandle) {
        if (size == handles.length) {
            handles = Arrays.copyOf(handles, size * 2);
        }
        handles[size++] = ownedHandle;
    }

    /** Frees up to {@code most} handles, as long as there are more than {@code kept}. */
    void freeAbove(int kept, int most) {
        for (int i = 0; i < most && size > kept; i++) {
            Refs.decref(handles[--size]);
        }
    }

    void forEach(LongConsumer action) {
        for (int i = 0; i < size; i++) {
            action.accept(handles[i]);
        }
    }

    void clear() {
        while (size > 0) {
            Refs.decref(handles[--size]);
        }
    }
}
