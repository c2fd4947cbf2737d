package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** The buffer protocol. Functions of abstract.h (from 3.12 on pybuffer.h) and memoryobject.h, under C's names. */
public final class Buffers {
    private static final MethodHandle PYOBJECT_CHECKBUFFER = Downcall.plain("PyObject_CheckBuffer");
    private static final MethodHandle PYOBJECT_GETBUFFER = Downcall.plain("PyObject_GetBuffer");
    private static final MethodHandle PYBUFFER_RELEASE = Downcall.plain("PyBuffer_Release");

    private Buffers() {}

    public static int PyObject_CheckBuffer(long object) {
        try {
            return (int) (long) PYOBJECT_CHECKBUFFER.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int PyObject_GetBuffer(long exporter, long view, long flags) {
        try {
            return (int) (long) PYOBJECT_GETBUFFER.invokeExact(exporter, view, flags, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void PyBuffer_Release(long view) {
        try {
            long _ = (long) PYBUFFER_RELEASE.invokeExact(view, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
