package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** int. The functions of longobject.h, under C's names. */
public final class Longs {
    private static final MethodHandle PYLONG_FROMLONGLONG = Downcall.critical("PyLong_FromLongLong");
    private static final MethodHandle PYLONG_ASLONGLONG = Downcall.plain("PyLong_AsLongLong");

    private Longs() {}

    public static long PyLong_FromLongLong(long value) {
        try {
            return (long) PYLONG_FROMLONGLONG.invokeExact(value, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyLong_AsLongLong(long object) {
        try {
            return (long) PYLONG_ASLONGLONG.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
