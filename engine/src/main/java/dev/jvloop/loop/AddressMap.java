package dev.jvloop.loop;

/**
 * A map of object addresses (never 0) to numbers from 0 on, with open addressing: adding and removing allocates nothing,
 * as long as it keeps its size.
 */
final class AddressMap {
    static final int ABSENT = -1;

    private static final int INITIAL_CAPACITY = 64;
    /** 2**64 divided by the golden ratio: spreads addresses, which differ in their middle bits only. */
    private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

    /** Address and number in turn: one cache line has both. */
    private long[] table = new long[2 * INITIAL_CAPACITY];

    private int mask = INITIAL_CAPACITY - 1;
    private int size;

    int size() {
        return size;
    }

    /** How many there is room for, twice over. */
    int capacity() {
        return mask + 1;
    }

    /** The number of an address, or {@link #ABSENT}. */
    int get(long address) {
        int at = find(address);
        return table[2 * at] == 0 ? ABSENT : (int) table[2 * at + 1];
    }

    /** Adds an address that is not in here. */
    void add(long address, int number) {
        if (2 * size > mask) {
            resize(2 * capacity());
        }
        put(find(address), address, number);
        size++;
    }

    /** Gives an address that is in here another number. */
    void replace(long address, int number) {
        table[2 * find(address) + 1] = number;
    }

    /** @return the number that the address had, or {@link #ABSENT} */
    int remove(long address) {
        int hole = find(address);
        if (table[2 * hole] == 0) {
            return ABSENT;
        }
        int number = (int) table[2 * hole + 1];
        // What was pushed behind the hole by it moves up, so that no search ends too early.
        int at = hole;
        while (true) {
            at = next(at);
            long other = table[2 * at];
            if (other == 0) {
                break;
            }
            if (distance(slotOf(other), at) >= distance(hole, at)) {
                put(hole, other, table[2 * at + 1]);
                hole = at;
            }
        }
        table[2 * hole] = 0;
        size--;
        if (capacity() > INITIAL_CAPACITY && 8 * size < capacity()) {
            resize(capacity() / 2);
        }
        return number;
    }

    /** Where an address is, or the free place where it belongs. */
    private int find(long address) {
        int at = slotOf(address);
        while (table[2 * at] != 0 && table[2 * at] != address) {
            at = next(at);
        }
        return at;
    }

    private void put(int at, long address, long number) {
        table[2 * at] = address;
        table[2 * at + 1] = number;
    }

    private int slotOf(long address) {
        return (int) ((address * SPREAD) >>> 32) & mask;
    }

    private int next(int at) {
        return (at + 1) & mask;
    }

    private int distance(int from, int to) {
        return (to - from) & mask;
    }

    private void resize(int capacity) {
        long[] former = table;
        table = new long[2 * capacity];
        mask = capacity - 1;
        for (int i = 0; i < former.length; i += 2) {
            if (former[i] != 0) {
                put(find(former[i]), former[i], former[i + 1]);
            }
        }
    }
}
