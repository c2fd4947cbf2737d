package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressSetTest {
    private final AddressSet set = new AddressSet();

    @Test
    void holdsWhatWasAdded() {
        set.add(0x7f00_0010);
        assertTrue(set.contains(0x7f00_0010));
        assertFalse(set.contains(0x7f00_0020));
        assertEquals(1, set.size());
    }

    @Test
    void addingTwiceIsAddingOnce() {
        set.add(64);
        set.add(64);
        assertEquals(1, set.size());
        assertTrue(set.remove(64));
        assertFalse(set.remove(64));
        assertEquals(0, set.size());
    }

    @Test
    void clearEmptiesASmallAndALargeOne() {
        for (int count : new int[] {3, 10_000}) {
            for (long address = 1; address <= count; address++) {
                set.add(address * 16);
            }
            set.clear();
            assertEquals(0, set.size());
            assertFalse(set.contains(16));
            set.add(16);
            assertTrue(set.contains(16));
        }
    }

    /** Few addresses, so that they collide, come and go often. */
    @ParameterizedTest
    @ValueSource(ints = {8, 40, 5000})
    void behavesAsAHashSetUnderRandomOperations(int addresses) {
        Random random = new Random(addresses);
        Set<Long> model = new HashSet<>();
        for (int step = 0; step < 200_000; step++) {
            long address = 0x7f3a_0000_0000L + 16L * (1 + random.nextInt(addresses));
            if (random.nextBoolean()) {
                set.add(address);
                model.add(address);
            } else {
                assertEquals(model.remove(address), set.remove(address));
            }
            assertEquals(model.size(), set.size());
        }
        for (int i = 1; i <= addresses; i++) {
            long address = 0x7f3a_0000_0000L + 16L * i;
            assertEquals(model.contains(address), set.contains(address));
        }
    }
}
