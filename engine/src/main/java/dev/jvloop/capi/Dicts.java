package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** dict. The functions of dictobject.h, under C's names. */
public final class Dicts {
    private static final MethodHandle PYDICT_NEW = Downcall.plain("PyDict_New");
    private static final MethodHandle PYDICT_SETITEM = Downcall.plain("PyDict_SetItem");
    private static final MethodHandle PYDICT_ITEMS = Downcall.plain("PyDict_Items");

    private Dicts() {}

    public static long PyDict_New() {
        try {
            return (long) PYDICT_NEW.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int PyDict_SetItem(long dict, long key, long value) {
        try {
            return (int) (long) PYDICT_SETITEM.invokeExact(dict, key, value, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyDict_Items(long dict) {
        try {
            return (long) PYDICT_ITEMS.invokeExact(dict, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
