package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** set. The functions of setobject.h, under C's names. */
public final class Sets {
    private static final CFunction PYSET_NEW = Downcall.plain("PySet_New");
    private static final CFunction PYSET_ADD = Downcall.plain("PySet_Add");

    private Sets() {}

    public static long PySet_New(long iterableOrNull) {
        return PYSET_NEW.call(iterableOrNull);
    }

    public static int PySet_Add(long set, long key) {
        return (int) PYSET_ADD.call(set, key);
    }
}
