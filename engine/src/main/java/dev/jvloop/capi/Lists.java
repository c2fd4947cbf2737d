package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** list. The functions of listobject.h, under C's names. */
public final class Lists {
    private static final CFunction PYLIST_NEW = Downcall.plain("PyList_New");
    private static final CFunction PYLIST_SETITEM = Downcall.plain("PyList_SetItem");
    private static final CFunction PYLIST_INSERT = Downcall.plain("PyList_Insert");

    private Lists() {}

    public static long PyList_New(long size) {
        return PYLIST_NEW.call(size);
    }

    /** Takes over the reference to the item. */
    public static int PyList_SetItem(long list, long index, long ownedItem) {
        return (int) PYLIST_SETITEM.call(list, index, ownedItem);
    }

    public static int PyList_Insert(long list, long index, long item) {
        return (int) PYLIST_INSERT.call(list, index, item);
    }
}
