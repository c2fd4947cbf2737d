package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** str. The functions of unicodeobject.h, under C's names. */
public final class Unicode {
    private static final CFunction PYUNICODE_INTERNFROMSTRING = Downcall.plain("PyUnicode_InternFromString");
    private static final CFunction PYUNICODE_FROMSTRING = Downcall.plain("PyUnicode_FromString");
    private static final CFunction PYUNICODE_ASUTF8 = Downcall.plain("PyUnicode_AsUTF8");

    /** Bound on first use: most programs send no datagrams. */
    private static final class AsUtf8AndSize {
        private static final CFunction PYUNICODE_ASUTF8ANDSIZE = Downcall.plain("PyUnicode_AsUTF8AndSize");
    }

    /** Bound on first use: the loop makes no text of a Java program's. */
    private static final class Texts {
        private static final CFunction PYUNICODE_FROMSTRINGANDSIZE = Downcall.critical("PyUnicode_FromStringAndSize");
        private static final CFunction PYUNICODE_INTERNINPLACE = Downcall.plain("PyUnicode_InternInPlace");
        private static final CFunction PYUNICODE_DECODEUTF16 = Downcall.plain("PyUnicode_DecodeUTF16");
        private static final CFunction PYUNICODE_ASENCODEDSTRING = Downcall.plain("PyUnicode_AsEncodedString");
    }

    private Unicode() {}

    public static long PyUnicode_InternFromString(long utf8) {
        return PYUNICODE_INTERNFROMSTRING.call(utf8);
    }

    public static long PyUnicode_FromString(long utf8) {
        return PYUNICODE_FROMSTRING.call(utf8);
    }

    public static long PyUnicode_AsUTF8(long object) {
        return PYUNICODE_ASUTF8.call(object);
    }

    public static long PyUnicode_AsUTF8AndSize(long object, long size) {
        return AsUtf8AndSize.PYUNICODE_ASUTF8ANDSIZE.call(object, size);
    }

    public static long PyUnicode_FromStringAndSize(long utf8, long byteCount) {
        return Texts.PYUNICODE_FROMSTRINGANDSIZE.call(utf8, byteCount);
    }

    public static void PyUnicode_InternInPlace(long string) {
        Texts.PYUNICODE_INTERNINPLACE.call(string);
    }

    public static long PyUnicode_DecodeUTF16(long data, long byteCount, long errors, long byteOrder) {
        return Texts.PYUNICODE_DECODEUTF16.call(data, byteCount, errors, byteOrder);
    }

    public static long PyUnicode_AsEncodedString(long object, long encoding, long errors) {
        return Texts.PYUNICODE_ASENCODEDSTRING.call(object, encoding, errors);
    }
}
