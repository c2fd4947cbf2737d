package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Items and iteration. Functions of abstract.h, under C's names. */
public final class Containers {
    private static final MethodHandle PYOBJECT_GETITEM = Downcall.plain("PyObject_GetItem");
    private static final MethodHandle PYOBJECT_SETITEM = Downcall.plain("PyObject_SetItem");
    private static final MethodHandle PYOBJECT_SIZE = Downcall.plain("PyObject_Size");
    private static final MethodHandle PYOBJECT_GETITER = Downcall.plain("PyObject_GetIter");
    private static final MethodHandle PYITER_NEXT = Downcall.plain("PyIter_Next");

    private Containers() {}

    public static long PyObject_GetItem(long object, long key) {
        try {
            return (long) PYOBJECT_GETITEM.invokeExact(object, key, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int PyObject_SetItem(long object, long key, long value) {
        try {
            return (int) (long) PYOBJECT_SETITEM.invokeExact(object, key, value, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_Size(long object) {
        try {
            return (long) PYOBJECT_SIZE.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_GetIter(long iterable) {
        try {
            return (long) PYOBJECT_GETITER.invokeExact(iterable, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyIter_Next(long iterator) {
        try {
            return (long) PYITER_NEXT.invokeExact(iterator, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
