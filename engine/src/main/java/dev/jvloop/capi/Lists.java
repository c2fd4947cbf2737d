package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** list. The functions of listobject.h, under C's names. */
public final class Lists {
    private static final MethodHandle PYLIST_NEW = Downcall.plain("PyList_New");
    private static final MethodHandle PYLIST_SETITEM = Downcall.plain("PyList_SetItem");
    private static final MethodHandle PYLIST_INSERT = Downcall.plain("PyList_Insert");

    private Lists() {}

    public static long PyList_New(long size) {
        try {
            return (long) PYLIST_NEW.invokeExact(size, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    /** Takes over the reference to the item. */
    public static int PyList_SetItem(long list, long index, long ownedItem) {
        try {
            return (int) (long) PYLIST_SETITEM.invokeExact(list, index, ownedItem, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int PyList_Insert(long list, long index, long item) {
        try {
            return (int) (long) PYLIST_INSERT.invokeExact(list, index, item, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
