package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** bytes. The functions of bytesobject.h, under C's names. */
public final class ByteStrings {
    private static final CFunction PYBYTES_FROMSTRINGANDSIZE = Downcall.critical("PyBytes_FromStringAndSize");
    private static final CFunction PYBYTES_RESIZE = Downcall.critical("_PyBytes_Resize");

    private ByteStrings() {}

    public static long PyBytes_FromStringAndSize(long data, long size) {
        return PYBYTES_FROMSTRINGANDSIZE.call(data, size);
    }

    public static long _PyBytes_Resize(long reference, long size) {
        return PYBYTES_RESIZE.call(reference, size);
    }
}
