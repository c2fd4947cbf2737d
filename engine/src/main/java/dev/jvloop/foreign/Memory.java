package dev.jvloop.foreign;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.function.LongUnaryOperator;

/**
 * Raw reads and writes of the process's memory by address. Callers vouch for the address; nothing is checked here.
 *
 * <p>There are two ways, one of which is chosen for the process: {@code Unsafe} where it is allowed
 * ({@link DirectMemory}), else a segment over the whole address space. Both compile to a plain load or store. But C2
 * stops inlining in a method whose graph has had 18,000 nodes, and a segment's access is hundreds of them before they
 * fold to one: of the engine's larger methods it left the second half as calls, among them those to these methods. With
 * {@code Unsafe}, {@code call_later} and {@code cancel} take 240 ns instead of 285, a TLS echo 10.2 us instead of 11.9,
 * a request to uvicorn 20.6 us instead of 23.2.
 */
@SuppressWarnings("removal")
public final class Memory {
    private static final sun.misc.Unsafe UNSAFE_OR_NULL = DirectMemory.unsafeOrNull();
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private Memory() {}

    public static long getLong(long address) {
        return UNSAFE_OR_NULL == null
                ? ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address)
                : UNSAFE_OR_NULL.getLong(address);
    }

    public static void putLong(long address, long value) {
        if (UNSAFE_OR_NULL == null) {
            ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address, value);
        } else {
            UNSAFE_OR_NULL.putLong(address, value);
        }
    }

    /** For a word that other threads read: they see what it points to as it was written before. Aligned. */
    public static void putLongRelease(long address, long value) {
        VarHandle.releaseFence();
        putLong(address, value);
    }

    public static int getInt(long address) {
        return UNSAFE_OR_NULL == null
                ? ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address)
                : UNSAFE_OR_NULL.getInt(address);
    }

    public static void putInt(long address, int value) {
        if (UNSAFE_OR_NULL == null) {
            ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
        } else {
            UNSAFE_OR_NULL.putInt(address, value);
        }
    }

    public static short getShort(long address) {
        return UNSAFE_OR_NULL == null
                ? ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address)
                : UNSAFE_OR_NULL.getShort(address);
    }

    public static void putShort(long address, short value) {
        if (UNSAFE_OR_NULL == null) {
            ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, value);
        } else {
            UNSAFE_OR_NULL.putShort(address, value);
        }
    }

    public static byte getByte(long address) {
        return UNSAFE_OR_NULL == null ? ALL.get(ValueLayout.JAVA_BYTE, address) : UNSAFE_OR_NULL.getByte(address);
    }

    public static void putByte(long address, byte value) {
        if (UNSAFE_OR_NULL == null) {
            ALL.set(ValueLayout.JAVA_BYTE, address, value);
        } else {
            UNSAFE_OR_NULL.putByte(address, value);
        }
    }

    public static double getDouble(long address) {
        return UNSAFE_OR_NULL == null
                ? ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, address)
                : UNSAFE_OR_NULL.getDouble(address);
    }

    public static void copy(long from, long to, long byteCount) {
        if (UNSAFE_OR_NULL == null) {
            MemorySegment.copy(ALL, from, ALL, to, byteCount);
        } else {
            UNSAFE_OR_NULL.copyMemory(from, to, byteCount);
        }
    }

    /** A copy of {@code byteCount} bytes. */
    public static byte[] bytes(long address, int byteCount) {
        byte[] bytes = new byte[byteCount];
        if (UNSAFE_OR_NULL == null) {
            MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, address, bytes, 0, byteCount);
        } else {
            UNSAFE_OR_NULL.copyMemory(null, address, bytes, sun.misc.Unsafe.ARRAY_BYTE_BASE_OFFSET, byteCount);
        }
        return bytes;
    }

    /**
     * The NUL-terminated UTF-8 string at {@code address}. A segment's own {@code getString} links a switch over types
     * first: with what the copies of strings link, 4 ms of each start.
     */
    public static String getString(long address) {
        return new String(bytes(address, lengthOfString(address)), StandardCharsets.UTF_8);
    }

    /** Aligned words lie in one page each, so none is read that the string has no byte in. */
    private static int lengthOfString(long address) {
        long end = address;
        while ((end & 7) != 0) {
            if (getByte(end) == 0) {
                return (int) (end - address);
            }
            end++;
        }
        while (!hasZeroByte(getLong(end))) {
            end += 8;
        }
        while (getByte(end) != 0) {
            end++;
        }
        return (int) (end - address);
    }

    private static boolean hasZeroByte(long word) {
        return (word - 0x0101010101010101L & ~word & 0x8080808080808080L) != 0;
    }

    /** The string as UTF-8 with a NUL behind it, in memory that is never freed. */
    public static long newStringForever(String text) {
        if (UNSAFE_OR_NULL == null) {
            return Arena.global().allocateFrom(text).address();
        }
        return newString(text);
    }

    private static long newString(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        long address = UNSAFE_OR_NULL.allocateMemory(bytes.length + 1L);
        UNSAFE_OR_NULL.copyMemory(bytes, sun.misc.Unsafe.ARRAY_BYTE_BASE_OFFSET, null, address, bytes.length);
        UNSAFE_OR_NULL.putByte(address + bytes.length, (byte) 0);
        return address;
    }

    /** What {@code function} makes of the address of the string as UTF-8, which is valid as long as that runs. */
    public static long withString(String text, LongUnaryOperator function) {
        if (UNSAFE_OR_NULL == null) {
            try (Arena arena = Arena.ofConfined()) {
                return function.applyAsLong(arena.allocateFrom(text).address());
            }
        }
        long address = newString(text);
        try {
            return function.applyAsLong(address);
        } finally {
            UNSAFE_OR_NULL.freeMemory(address);
        }
    }

    /** A segment over {@code byteCount} bytes at {@code address}, valid as long as the memory is. */
    public static MemorySegment segment(long address, long byteCount) {
        return ALL.asSlice(address, byteCount);
    }
}
