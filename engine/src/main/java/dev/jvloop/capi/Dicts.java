package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** dict. The functions of dictobject.h, under C's names. */
public final class Dicts {
    private static final CFunction PYDICT_NEW = Downcall.plain("PyDict_New");
    private static final CFunction PYDICT_SETITEM = Downcall.plain("PyDict_SetItem");
    private static final CFunction PYDICT_ITEMS = Downcall.plain("PyDict_Items");

    private Dicts() {}

    public static long PyDict_New() {
        return PYDICT_NEW.call();
    }

    public static int PyDict_SetItem(long dict, long key, long value) {
        return (int) PYDICT_SETITEM.call(dict, key, value);
    }

    public static long PyDict_Items(long dict) {
        return PYDICT_ITEMS.call(dict);
    }
}
