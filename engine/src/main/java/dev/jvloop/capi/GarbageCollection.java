package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** The cyclic garbage collector. The functions of objimpl.h, under C's names. */
public final class GarbageCollection {
    private static final CFunction PYOBJECT_GC_UNTRACK = Downcall.critical("PyObject_GC_UnTrack");
    private static final CFunction PYOBJECT_GC_DEL = Downcall.plain("PyObject_GC_Del");

    private GarbageCollection() {}

    public static long PyObject_GC_UnTrack(long object) {
        return PYOBJECT_GC_UNTRACK.call(object);
    }

    public static long PyObject_GC_Del(long object) {
        return PYOBJECT_GC_DEL.call(object);
    }
}
