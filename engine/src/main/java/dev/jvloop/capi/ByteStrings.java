package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** bytes. The functions of bytesobject.h, under C's names. */
public final class ByteStrings {
    private static final MethodHandle PYBYTES_FROMSTRINGANDSIZE = Downcall.critical("PyBytes_FromStringAndSize");
    private static final MethodHandle PYBYTES_RESIZE = Downcall.critical("_PyBytes_Resize");

    private ByteStrings() {}

    public static long PyBytes_FromStringAndSize(long data, long size) {
        try {
            return (long) PYBYTES_FROMSTRINGANDSIZE.invokeExact(data, size, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long _PyBytes_Resize(long reference, long size) {
        try {
            return (long) PYBYTES_RESIZE.invokeExact(reference, size, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
