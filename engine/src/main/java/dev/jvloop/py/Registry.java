package dev.jvloop.py;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * Java objects by small positive number: how an upcall finds the Java half of the Python object it is a method of.
 * The number stands in the Python object; reading it and the table is two loads. Lookups take no lock; additions and
 * removals do (free-threaded Python calls from many threads at once).
 */
public final class Registry {
    private static final int INITIAL_CAPACITY = 64;

    private static final VarHandle ELEMENT = MethodHandles.arrayElementVarHandle(Object[].class);

    private static volatile Object[] table = new Object[0];
    private static int[] freeIds = new int[0];
    private static int freeCount;

    static {
        grow(INITIAL_CAPACITY);
    }

    private Registry() {}

    public static synchronized int add(Object object) {
        if (freeCount == 0) {
            grow(2 * table.length);
        }
        int id = freeIds[--freeCount];
        ELEMENT.setRelease(table, id, object);
        return id;
    }

    public static synchronized void remove(int id) {
        ELEMENT.setRelease(table, id, null);
        freeIds[freeCount++] = id;
    }

    /**
     * Frees the ids from the present capacity on, the smallest first in line. All are in the free list from the start, so
     * that the first object beyond the most there ever were takes no branch that C2 has left out: each such branch costs
     * the compiled code of a connection's start.
     */
    private static void grow(int capacity) {
        int oldCapacity = table.length;
        table = Arrays.copyOf(table, capacity);
        freeIds = Arrays.copyOf(freeIds, capacity);
        for (int id = capacity - 1; id >= Math.max(oldCapacity, 1); id--) {
            freeIds[freeCount++] = id;
        }
    }

    /** The object of an id, or null for 0 and for one that was removed. */
    public static Object get(int id) {
        return ELEMENT.getAcquire(table, id);
    }
}
