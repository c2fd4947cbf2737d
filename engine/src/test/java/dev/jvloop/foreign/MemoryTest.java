package dev.jvloop.foreign;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Run twice: as any JVM is, and with an option that lets Memory use Unsafe. */
class MemoryTest {
    private final Arena arena = Arena.ofShared();
    private final long address = arena.allocate(64, 16).address();

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void unsafeIsUsedWhereItIsAllowed() {
        boolean allowed = "allow".equals(System.getProperty("sun.misc.unsafe.memory.access"));
        assertEquals(allowed, DirectMemory.unsafeOrNull() != null);
    }

    @Test
    void whatIsPutIsGotAtAnyAlignment() {
        for (int offset = 0; offset < 8; offset++) {
            Memory.putLong(address + offset, Long.MIN_VALUE + 3);
            assertEquals(Long.MIN_VALUE + 3, Memory.getLong(address + offset));
            Memory.putLongRelease(address + offset, 5);
            assertEquals(5, Memory.getLong(address + offset));
            Memory.putInt(address + offset, -7);
            assertEquals(-7, Memory.getInt(address + offset));
            assertEquals(-7, Memory.getShort(address + offset));
            assertEquals(-7, Memory.getByte(address + offset));
            Memory.putShort(address + offset, (short) -9);
            assertEquals(-9, Memory.getShort(address + offset));
            Memory.putLong(address + offset, Double.doubleToRawLongBits(1.5));
            assertEquals(1.5, Memory.getDouble(address + offset));
        }
    }

    @Test
    void writesTouchTheirBytesOnly() {
        Memory.putLong(address, 0);
        Memory.putByte(address + 3, (byte) 1);
        assertEquals(1L << 24, Memory.getLong(address));
        Memory.putInt(address, 0);
        assertEquals(0, Memory.getLong(address));
    }

    @Test
    void textEndsAtItsFirstNulAtAnyAlignment() {
        for (int offset = 0; offset < 8; offset++) {
            for (int length = 0; length < 24; length++) {
                for (int i = 0; i < 64; i++) {
                    Memory.putByte(address + i, (byte) 0xff);
                }
                for (int i = 0; i < length; i++) {
                    Memory.putByte(address + offset + i, (byte) (i % 2 == 0 ? 'a' : 0x01));
                }
                Memory.putByte(address + offset + length, (byte) 0);
                assertEquals("a\u0001".repeat(12).substring(0, length), Memory.getString(address + offset));
            }
        }
    }

    @Test
    void textIsMadeForCForeverOrForTheTimeOfACall() {
        for (String text : new String[] {"", "name", "h\u00e9\u20ac"}) {
            assertEquals(text, Memory.getString(Memory.newStringForever(text)));
            long first = Memory.withString(text, string -> {
                assertEquals(text, Memory.getString(string));
                return Memory.getByte(string);
            });
            assertEquals(text.isEmpty() ? 0 : text.charAt(0) == 'n' ? 'n' : 'h', first);
        }
    }

    @Test
    void bytesAndTextAreCopied() {
        String text = "h\u00e9\u20ac";
        long source = arena.allocateFrom(text).address();
        Memory.copy(source, address, 7);
        assertEquals(text, Memory.getString(address));
        assertArrayEquals(
                new byte[] {'h', (byte) 0xc3}, Memory.segment(address, 2).toArray(ValueLayout.JAVA_BYTE));
        assertArrayEquals(new byte[] {(byte) 0xc3, (byte) 0xa9}, Memory.bytes(address + 1, 2));
        assertArrayEquals(new byte[0], Memory.bytes(address, 0));
    }
}
