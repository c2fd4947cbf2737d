package dev.jvloop.capi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * Raw reads and writes of the process's memory by address. Callers vouch for the address; nothing is checked here.
 */
public final class Memory {
    /** One segment over the whole address space: an access compiles to a plain load or store. */
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final VarHandle RELEASE = ValueLayout.JAVA_LONG.varHandle();

    private Memory() {}

    public static long getLong(long address) {
        return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
    }

    public static void putLong(long address, long value) {
        ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address, value);
    }

    /** For a word that other threads read: they see what it points to as it was written before. Aligned. */
    public static void putLongRelease(long address, long value) {
        RELEASE.setRelease(ALL, address, value);
    }

    public static int getInt(long address) {
        return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
    }

    public static void putInt(long address, int value) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
    }

    public static short getShort(long address) {
        return ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address);
    }

    public static void putShort(long address, short value) {
        ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, value);
    }

    public static byte getByte(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address);
    }

    public static void putByte(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }

    public static double getDouble(long address) {
        return ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, address);
    }

    public static void copy(long from, long to, long byteCount) {
        MemorySegment.copy(ALL, from, ALL, to, byteCount);
    }

    /** The NUL-terminated UTF-8 string at {@code address}. */
    public static String getString(long address) {
        return ALL.getString(address, StandardCharsets.UTF_8);
    }

    /** A segment over {@code byteCount} bytes at {@code address}, valid as long as the memory is. */
    public static MemorySegment segment(long address, long byteCount) {
        return ALL.asSlice(address, byteCount);
    }
}
