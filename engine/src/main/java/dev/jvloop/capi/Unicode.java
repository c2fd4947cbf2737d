package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** str. The functions of unicodeobject.h, under C's names. */
public final class Unicode {
    private static final MethodHandle PYUNICODE_INTERNFROMSTRING = Downcall.plain("PyUnicode_InternFromString");
    private static final MethodHandle PYUNICODE_FROMSTRING = Downcall.plain("PyUnicode_FromString");
    private static final MethodHandle PYUNICODE_ASUTF8 = Downcall.plain("PyUnicode_AsUTF8");

    /** Bound on first use: most programs send no datagrams. */
    private static final class AsUtf8AndSize {
        private static final MethodHandle PYUNICODE_ASUTF8ANDSIZE = Downcall.plain("PyUnicode_AsUTF8AndSize");
    }

    /** Bound on first use: the loop makes no text of a Java program's. */
    private static final class Texts {
        private static final MethodHandle PYUNICODE_FROMSTRINGANDSIZE =
                Downcall.critical("PyUnicode_FromStringAndSize");
        private static final MethodHandle PYUNICODE_INTERNINPLACE = Downcall.plain("PyUnicode_InternInPlace");
        private static final MethodHandle PYUNICODE_DECODEUTF16 = Downcall.plain("PyUnicode_DecodeUTF16");
        private static final MethodHandle PYUNICODE_ASENCODEDSTRING = Downcall.plain("PyUnicode_AsEncodedString");
    }

    private Unicode() {}

    public static long PyUnicode_InternFromString(long utf8) {
        try {
            return (long) PYUNICODE_INTERNFROMSTRING.invokeExact(utf8, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyUnicode_FromString(long utf8) {
        try {
            return (long) PYUNICODE_FROMSTRING.invokeExact(utf8, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyUnicode_AsUTF8(long object) {
        try {
            return (long) PYUNICODE_ASUTF8.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyUnicode_AsUTF8AndSize(long object, long size) {
        try {
            return (long) AsUtf8AndSize.PYUNICODE_ASUTF8ANDSIZE.invokeExact(object, size, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyUnicode_FromStringAndSize(long utf8, long byteCount) {
        try {
            return (long) Texts.PYUNICODE_FROMSTRINGANDSIZE.invokeExact(utf8, byteCount, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void PyUnicode_InternInPlace(long string) {
        try {
            long _ = (long) Texts.PYUNICODE_INTERNINPLACE.invokeExact(string, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyUnicode_DecodeUTF16(long data, long byteCount, long errors, long byteOrder) {
        try {
            return (long) Texts.PYUNICODE_DECODEUTF16.invokeExact(data, byteCount, errors, byteOrder);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyUnicode_AsEncodedString(long object, long encoding, long errors) {
        try {
            return (long) Texts.PYUNICODE_ASENCODEDSTRING.invokeExact(object, encoding, errors, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
