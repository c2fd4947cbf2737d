package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** int. The functions of longobject.h, under C's names. */
public final class Longs {
    private static final CFunction PYLONG_FROMLONGLONG = Downcall.critical("PyLong_FromLongLong");
    private static final CFunction PYLONG_ASLONGLONG = Downcall.plain("PyLong_AsLongLong");

    private Longs() {}

    public static long PyLong_FromLongLong(long value) {
        return PYLONG_FROMLONGLONG.call(value);
    }

    public static long PyLong_AsLongLong(long object) {
        return PYLONG_ASLONGLONG.call(object);
    }
}
