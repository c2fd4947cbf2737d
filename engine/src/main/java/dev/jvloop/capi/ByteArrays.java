package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** bytearray. The functions of bytearrayobject.h, under C's names. */
public final class ByteArrays {
    private static final CFunction PYBYTEARRAY_ASSTRING = Downcall.critical("PyByteArray_AsString");

    private ByteArrays() {}

    /** @param bytearray one for sure: it is not asked */
    public static long PyByteArray_AsString(long bytearray) {
        return PYBYTEARRAY_ASSTRING.call(bytearray);
    }
}
