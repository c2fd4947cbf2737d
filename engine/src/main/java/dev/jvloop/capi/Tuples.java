package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** tuple. The functions of tupleobject.h, under C's names. */
public final class Tuples {
    private static final CFunction PYTUPLE_NEW = Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyTuple_New");

    private Tuples() {}

    public static long PyTuple_New(long size) {
        return PYTUPLE_NEW.call(size);
    }
}
