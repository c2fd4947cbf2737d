package dev.jvloop.loop;

import dev.jvloop.py.Refs;
import java.util.Arrays;
import java.util.function.LongConsumer;

/** A stack of emptied Python objects, each an owned reference that nobody else has. */
final class ObjectPool {
    private final int capacity;
    private long[] objects = new long[64];
    private int size;

    ObjectPool(int capacity) {
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
        return objects[--size];
    }

    /** The pool must not be full. */
    void add(long ownedObject) {
        if (size == objects.length) {
            objects = Arrays.copyOf(objects, size * 2);
        }
        objects[size++] = ownedObject;
    }

    /** Frees up to {@code most} objects, as long as there are more than {@code kept}. */
    void freeAbove(int kept, int most) {
        for (int i = 0; i < most && size > kept; i++) {
            Refs.decref(objects[--size]);
        }
    }

    void forEach(LongConsumer action) {
        for (int i = 0; i < size; i++) {
            action.accept(objects[i]);
        }
    }

    void clear() {
        while (size > 0) {
            Refs.decref(objects[--size]);
        }
    }
}
