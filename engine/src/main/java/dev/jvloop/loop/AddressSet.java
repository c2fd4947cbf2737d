package dev.jvloop.loop;

import java.util.Arrays;

/** A set of object addresses (never 0), with open addressing: adding and removing allocates nothing. */
final class AddressSet {
    private static final int INITIAL_CAPACITY = 64;
    /** 2**64 divided by the golden ratio: spreads addresses, which differ in their middle bits only. */
    private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

    private long[] table = new long[INITIAL_CAPACITY];
    private int size;

    int size() {
        return size;
    }

    boolean contains(long address) {
        return table[find(address)] != 0;
    }

    void add(long address) {
        if (2 * size >= table.length) {
            resize(table.length * 2);
        }
        int at = find(address);
        if (table[at] == 0) {
            table[at] = address;
            size++;
        }
    }

    /** @return whether it was in here */
    boolean remove(long address) {
        int hole = find(address);
        if (table[hole] == 0) {
            return false;
        }
        // What was pushed behind the hole by it moves up, so that no search ends too early.
        int at = hole;
        while (true) {
            at = next(at);
            long other = table[at];
            if (other == 0) {
                break;
            }
            if (distance(slotOf(other), at) >= distance(hole, at)) {
                table[hole] = other;
                hole = at;
            }
        }
        table[hole] = 0;
        size--;
        return true;
    }

    void clear() {
        if (table.length > INITIAL_CAPACITY) {
            table = new long[INITIAL_CAPACITY];
        } else {
            Arrays.fill(table, 0);
        }
        size = 0;
    }

    /** Where an address is, or the free place where it belongs. */
    private int find(long address) {
        int at = slotOf(address);
        while (table[at] != 0 && table[at] != address) {
            at = next(at);
        }
        return at;
    }

    private int slotOf(long address) {
        return (int) ((address * SPREAD) >>> 32) & (table.length - 1);
    }

    private int next(int at) {
        return (at + 1) & (table.length - 1);
    }

    private int distance(int from, int to) {
        return (to - from) & (table.length - 1);
    }

    private void resize(int capacity) {
        long[] former = table;
        table = new long[capacity];
        for (long address : former) {
            if (address != 0) {
                table[find(address)] = address;
            }
        }
    }
}
