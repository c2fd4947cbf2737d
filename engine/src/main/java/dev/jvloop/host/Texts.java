package dev.jvloop.host;

import dev.jvloop.capi.PyErrors;
import dev.jvloop.capi.Unicode;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import dev.jvloop.py.Scratch;
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
        int length = text.length();
        try (Scratch.Piece memory = Scratch.take(2L * length)) {
            MemorySegment units = Memory.segment(memory.address(), 2L * length);
            MemorySegment.copy(text.toCharArray(), 0, units, ValueLayout.JAVA_CHAR, 0, length);
            return PyErr.checked(Unicode.PyUnicode_DecodeUTF16(
                    memory.address(), 2L * length, SURROGATEPASS.address(), LITTLE_ENDIAN.address()));
        }
    }

    private static long newAscii(byte[] text) {
        try (Scratch.Piece memory = Scratch.take(text.length)) {
            MemorySegment bytes = Memory.segment(memory.address(), text.length);
            MemorySegment.copy(text, 0, bytes, ValueLayout.JAVA_BYTE, 0, text.length);
            return PyErr.checked(Unicode.PyUnicode_FromStringAndSize(memory.address(), text.length));
        }
    }

    /** A new reference to the one str of this text that is interned. */
    static long newInterned(String text) {
        long ownedString = newString(text);
        try (Scratch.Piece reference = Scratch.take(8)) {
            Memory.putLong(reference.address(), ownedString);
            Unicode.PyUnicode_InternInPlace(reference.address());
            return Memory.getLong(reference.address());
        }
    }

    /** The text of a str. */
    static String of(long string) {
        try (Scratch.Piece size = Scratch.take(8)) {
            long utf8 = Unicode.PyUnicode_AsUTF8AndSize(string, size.address());
            if (utf8 != 0) {
                byte[] bytes =
                        Memory.segment(utf8, Memory.getLong(size.address())).toArray(ValueLayout.JAVA_BYTE);
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
