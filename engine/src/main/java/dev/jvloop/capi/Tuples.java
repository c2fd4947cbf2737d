package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** tuple. The functions of tupleobject.h, under C's names. */
public final class Tuples {
    private static final MethodHandle PYTUPLE_NEW =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyTuple_New");

    private Tuples() {}

    public static long PyTuple_New(long size) {
        try {
            return (long) PYTUPLE_NEW.invokeExact(size, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
