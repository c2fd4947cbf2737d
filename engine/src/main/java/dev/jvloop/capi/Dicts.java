package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** dict. The functions of dictobject.h, under C's names. */
public final class Dicts {
    private static final MethodHandle PYDICT_GETITEMSTRING = Downcall.plain("PyDict_GetItemString", 2);

    private Dicts() {}

    public static long PyDict_GetItemString(long dict, long key) {
        try {
            return (long) PYDICT_GETITEMSTRING.invokeExact(dict, key);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
