package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** str. The functions of unicodeobject.h, under C's names. */
public final class Unicode {
    private static final MethodHandle PYUNICODE_INTERNFROMSTRING = Downcall.plain("PyUnicode_InternFromString", 1);
    private static final MethodHandle PYUNICODE_FROMSTRING = Downcall.plain("PyUnicode_FromString", 1);
    private static final MethodHandle PYUNICODE_ASUTF8 = Downcall.plain("PyUnicode_AsUTF8", 1);

    private Unicode() {}

    public static long PyUnicode_InternFromString(long utf8) {
        try {
            return (long) PYUNICODE_INTERNFROMSTRING.invokeExact(utf8);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyUnicode_FromString(long utf8) {
        try {
            return (long) PYUNICODE_FROMSTRING.invokeExact(utf8);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyUnicode_AsUTF8(long object) {
        try {
            return (long) PYUNICODE_ASUTF8.invokeExact(object);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
