package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** The cyclic garbage collector. The functions of objimpl.h, under C's names. */
public final class GarbageCollection {
    private static final MethodHandle PYOBJECT_GC_UNTRACK = Downcall.critical("PyObject_GC_UnTrack");
    private static final MethodHandle PYOBJECT_GC_DEL = Downcall.plain("PyObject_GC_Del");

    private GarbageCollection() {}

    public static long PyObject_GC_UnTrack(long object) {
        try {
            return (long) PYOBJECT_GC_UNTRACK.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_GC_Del(long object) {
        try {
            return (long) PYOBJECT_GC_DEL.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
