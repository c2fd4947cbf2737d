package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** set. The functions of setobject.h, under C's names. */
public final class Sets {
    private static final MethodHandle PYSET_NEW = Downcall.plain("PySet_New");
    private static final MethodHandle PYSET_ADD = Downcall.plain("PySet_Add");

    private Sets() {}

    public static long PySet_New(long iterableOrNull) {
        try {
            return (long) PYSET_NEW.invokeExact(iterableOrNull, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int PySet_Add(long set, long key) {
        try {
            return (int) (long) PYSET_ADD.invokeExact(set, key, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
