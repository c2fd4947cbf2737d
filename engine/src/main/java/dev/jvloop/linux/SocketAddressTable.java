package dev.jvloop.linux;

import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;

/**
 * The socket addresses that were seen last, by place: each address has one place where it is or is not. A peer that is
 * found costs a hash and a comparison; one that shares its place with another takes it over.
 */
public final class SocketAddressTable {
    private final Arena arena = Arena.ofAuto();
    private final int stride;
    private final int[] lengths;
    private final long memory;
    private final int mask;

    /**
     * @param places how many, a power of two
     * @param maxLength length of the longest address, in bytes
     */
    public SocketAddressTable(int places, int maxLength) {
        stride = maxLength + 7 & ~7;
        lengths = new int[places];
        mask = places - 1;
        memory = arena.allocate((long) stride * places, 8).address();
    }

    public int places() {
        return lengths.length;
    }

    /** The place of an address, whether it is there or not. */
    public int placeOf(long address, int length) {
        long hash = length;
        int i = 0;
        for (; i + 8 <= length; i += 8) {
            hash = hash * 0x9E37_79B9_7F4A_7C15L ^ Memory.getLong(address + i);
        }
        for (; i < length; i++) {
            hash = hash * 31 + Memory.getByte(address + i);
        }
        hash *= 0x9E37_79B9_7F4A_7C15L;
        return (int) (hash >>> 32) & mask;
    }

    /** Whether an address is at its place. */
    public boolean holds(int place, long address, int length) {
        if (lengths[place] != length) {
            return false;
        }
        long held = addressAt(place);
        int i = 0;
        for (; i + 8 <= length; i += 8) {
            if (Memory.getLong(held + i) != Memory.getLong(address + i)) {
                return false;
            }
        }
        for (; i < length; i++) {
            if (Memory.getByte(held + i) != Memory.getByte(address + i)) {
                return false;
            }
        }
        return true;
    }

    /** Copies an address of at least one byte to its place. */
    public void put(int place, long address, int length) {
        Memory.copy(address, addressAt(place), length);
        lengths[place] = length;
    }

    /** Where the address at a place is in memory. */
    public long addressAt(int place) {
        return memory + (long) stride * place;
    }

    /** In bytes; 0 if there is none. */
    public int lengthAt(int place) {
        return lengths[place];
    }
}
