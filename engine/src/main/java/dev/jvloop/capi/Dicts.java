package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** dict. The functions of dictobject.h, under C's names. */
public final class Dicts {
    private static final CFunction PYDICT_NEW = Downcall.plain("PyDict_New");
    private static final CFunction PYDICT_GETITEM = Downcall.plain("PyDict_GetItem");
    private static final CFunction PYDICT_SETITEM = Downcall.plain("PyDict_SetItem");
    private static final CFunction PYDICT_ITEMS = Downcall.plain("PyDict_Items");

    private Dicts() {}

    public static long PyDict_New() {
        return PYDICT_NEW.call();
    }

    /** A borrowed reference, or 0. */
    public static long PyDict_GetItem(long dict, long key) {
        return PYDICT_GETITEM.call(dict, key);
    }

    public static int PyDict_SetItem(long dict, long key, long value) {
        return (int) PYDICT_SETITEM.call(dict, key, value);
    }

    public static long PyDict_Items(long dict) {
        return PYDICT_ITEMS.call(dict);
    }
}
