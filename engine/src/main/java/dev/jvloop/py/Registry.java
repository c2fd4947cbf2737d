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

    private static volatile Object[] table = new Object[INITIAL_CAPACITY];
    private static int[] freeIds = new int[INITIAL_CAPACITY];
    private static int freeCount;
    private static int nextId = 1;

    private Registry() {}

    public static synchronized int add(Object object) {
        int id = freeCount > 0 ? freeIds[--freeCount] : nextId++;
        if (id >= table.length) {
            table = Arrays.copyOf(table, table.length * 2);
        }
        ELEMENT.setRelease(table, id, object);
        return id;
    }

    public static synchronized void remove(int id) {
        ELEMENT.setRelease(table, id, null);
        if (freeCount == freeIds.length) {
            freeIds = Arrays.copyOf(freeIds, freeIds.length * 2);
        }
        freeIds[freeCount++] = id;
    }

    /** The object of an id, or null for 0 and for one that was removed. */
    public static Object get(int id) {
        return ELEMENT.getAcquire(table, id);
    }
}
