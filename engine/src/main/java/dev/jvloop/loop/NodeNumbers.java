package dev.jvloop.loop;

import dev.jvloop.capi.Longs;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.util.Arrays;

/**
 * The numbers of the timer heap's nodes as Python ints, for a slot of the TimerHandle. They are made once: as many as
 * there ever are nodes at once.
 */
final class NodeNumbers {
    private static final int INITIAL_CAPACITY = 64;

    private long[] ownedInts = new long[INITIAL_CAPACITY];
    private int count;

    /** A new reference to the int. */
    long newNumber(int node) {
        while (count <= node) {
            if (count == ownedInts.length) {
                ownedInts = Arrays.copyOf(ownedInts, 2 * count);
            }
            ownedInts[count] = PyErr.checked(Longs.PyLong_FromLongLong(count));
            count++;
        }
        return Refs.incref(ownedInts[node]);
    }

    /** Lets go of those from {@code limit} on. */
    void keep(int limit) {
        while (count > limit) {
            Refs.decref(ownedInts[--count]);
        }
        int capacity = Math.max(INITIAL_CAPACITY, limit);
        if (capacity < ownedInts.length) {
            ownedInts = Arrays.copyOf(ownedInts, capacity);
        }
    }
}
