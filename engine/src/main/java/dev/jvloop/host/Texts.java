package dev.jvloop.host;

import dev.jvloop.capi.Memory;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.capi.Unicode;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * Java's strings and Python's. Java's are UTF-16 and may have a surrogate without its other half; Python's may have any
 * code point, a surrogate too. Both survive the way there and back.
 */
final class Texts {
    private static final MemorySegment SURROGATEPASS = Arena.global().allocateFrom("surrogatepass");
    private static final MemorySegment UTF_16 = Arena.global().allocateFrom("utf-16-le");
    /** For {@code PyUnicode_DecodeUTF16}: where -1 stands, the text is little-endian, and has no byte order mark. */
    private static final MemorySegment LITTLE_ENDIAN = littleEndian();

    private Texts() {}

    private static MemorySegment littleEndian() {
        MemorySegment segment = Arena.global().allocate(ValueLayout.JAVA_INT);
        segment.set(ValueLayout.JAVA_INT, 0, -1);
        return segment;
    }

    /** A new str. */
    static long newString(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        // As long as the text: ASCII, or a surrogate alone became a question mark.
        if (utf8.length == text.length() && text.equals(new String(utf8, StandardCharsets.US_ASCII))) {
            return newAscii(utf8);
        }
        try (Arena arena = Arena.ofConfined()) {
            int length = text.length();
            MemorySegment units = arena.allocate(2L * Math.max(1, length), 2);
            MemorySegment.copy(text.toCharArray(), 0, units, ValueLayout.JAVA_CHAR, 0, length);
            return PyErr.checked(Unicode.PyUnicode_DecodeUTF16(
                    units.address(), 2L * length, SURROGATEPASS.address(), LITTLE_ENDIAN.address()));
        }
    }

    private static long newAscii(byte[] text) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, text.length));
            MemorySegment.copy(text, 0, bytes, ValueLayout.JAVA_BYTE, 0, text.length);
            return PyErr.checked(Unicode.PyUnicode_FromStringAndSize(bytes.address(), text.length));
        }
    }

    /** A new reference to the one str of this text that is interned. */
    static long newInterned(String text) {
        long ownedString = newString(text);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment reference = arena.allocate(ValueLayout.JAVA_LONG);
            reference.set(ValueLayout.JAVA_LONG, 0, ownedString);
            Unicode.PyUnicode_InternInPlace(reference.address());
            return reference.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** The text of a str. */
    static String of(long string) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size = arena.allocate(8, 8);
            long utf8 = Unicode.PyUnicode_AsUTF8AndSize(string, size.address());
            if (utf8 != 0) {
                byte[] bytes =
                        Memory.segment(utf8, size.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
                return new String(bytes, StandardCharsets.UTF_8);
            }
        }
        // A surrogate alone, which UTF-8 does not encode.
        PyErrors.PyErr_Clear();
        long ownedBytes =
                PyErr.checked(Unicode.PyUnicode_AsEncodedString(string, UTF_16.address(), SURROGATEPASS.address()));
        char[] units =
                Memory.segment(Py.bytesData(ownedBytes), Py.size(ownedBytes)).toArray(ValueLayout.JAVA_CHAR_UNALIGNED);
        Refs.decref(ownedBytes);
        return new String(units);
    }

    /** The text of a str that is released. */
    static String ofOwned(long ownedString) {
        try {
            return of(ownedString);
        } finally {
            Refs.decref(ownedString);
        }
    }
}
