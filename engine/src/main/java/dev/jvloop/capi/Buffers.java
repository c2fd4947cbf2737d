package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import java.lang.invoke.MethodHandle;

/** The buffer protocol. Functions of abstract.h (from 3.12 on pybuffer.h) and memoryobject.h, under C's names. */
public final class Buffers {
    private static final CFunction PYOBJECT_CHECKBUFFER = Downcall.plain("PyObject_CheckBuffer");
    private static final CFunction PYOBJECT_GETBUFFER = Downcall.plain("PyObject_GetBuffer");
    private static final CFunction PYBUFFER_RELEASE = Downcall.plain("PyBuffer_Release");

    private static final CFunction PYMEMORYVIEW_FROMOBJECT = Downcall.plain("PyMemoryView_FromObject");

    /** Apart, as the one function with this signature, which costs milliseconds when it is first needed. */
    private static final class Filling {
        static final MethodHandle PYBUFFER_FILLINFO = Downcall.of("PyBuffer_FillInfo", Downcall.longs(6));
    }

    private Buffers() {}

    public static int PyObject_CheckBuffer(long object) {
        return (int) PYOBJECT_CHECKBUFFER.call(object);
    }

    public static int PyObject_GetBuffer(long exporter, long view, long flags) {
        return (int) PYOBJECT_GETBUFFER.call(exporter, view, flags);
    }

    public static int PyBuffer_FillInfo(long view, long exporter, long buf, long len, boolean readonly, long flags) {
        try {
            return (int)
                    (long) Filling.PYBUFFER_FILLINFO.invokeExact(view, exporter, buf, len, readonly ? 1L : 0L, flags);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyMemoryView_FromObject(long exporter) {
        return PYMEMORYVIEW_FROMOBJECT.call(exporter);
    }

    public static void PyBuffer_Release(long view) {
        PYBUFFER_RELEASE.call(view);
    }
}
