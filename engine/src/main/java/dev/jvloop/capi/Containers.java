package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** Items and iteration. Functions of abstract.h, under C's names. */
public final class Containers {
    private static final CFunction PYOBJECT_GETITEM = Downcall.plain("PyObject_GetItem");
    private static final CFunction PYOBJECT_SETITEM = Downcall.plain("PyObject_SetItem");
    private static final CFunction PYOBJECT_SIZE = Downcall.plain("PyObject_Size");
    private static final CFunction PYOBJECT_GETITER = Downcall.plain("PyObject_GetIter");
    private static final CFunction PYITER_NEXT = Downcall.plain("PyIter_Next");

    private Containers() {}

    public static long PyObject_GetItem(long object, long key) {
        return PYOBJECT_GETITEM.call(object, key);
    }

    public static int PyObject_SetItem(long object, long key, long value) {
        return (int) PYOBJECT_SETITEM.call(object, key, value);
    }

    public static long PyObject_Size(long object) {
        return PYOBJECT_SIZE.call(object);
    }

    public static long PyObject_GetIter(long iterable) {
        return PYOBJECT_GETITER.call(iterable);
    }

    public static long PyIter_Next(long iterator) {
        return PYITER_NEXT.call(iterator);
    }
}
