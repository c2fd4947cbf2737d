package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressMapTest {
    private final AddressMap map = new AddressMap();

    @Test
    void holdsWhatWasAdded() {
        map.add(0x7f00_0010, 7);
        assertEquals(7, map.get(0x7f00_0010));
        assertEquals(AddressMap.ABSENT, map.get(0x7f00_0020));
        assertEquals(1, map.size());
    }

    @Test
    void removingGivesTheNumberOnce() {
        map.add(64, 0);
        map.replace(64, 5);
        assertEquals(5, map.remove(64));
        assertEquals(AddressMap.ABSENT, map.remove(64));
        assertEquals(0, map.size());
    }

    @Test
    void itIsSmallAgainWhenNearlyAllHaveLeft() {
        for (int i = 1; i <= 100_000; i++) {
            map.add(16L * i, i);
        }
        for (int i = 1; i < 100_000; i++) {
            assertEquals(i, map.remove(16L * i));
        }
        assertTrue(map.capacity() <= 64, () -> "capacity " + map.capacity());
        assertEquals(100_000, map.get(1_600_000));
    }

    /** Few addresses, so that they collide, come and go often. */
    @ParameterizedTest
    @ValueSource(ints = {8, 40, 5000})
    void behavesAsAHashMapUnderRandomOperations(int addresses) {
        Random random = new Random(addresses);
        Map<Long, Integer> model = new HashMap<>();
        for (int step = 0; step < 200_000; step++) {
            long address = 0x7f3a_0000_0000L + 16L * (1 + random.nextInt(addresses));
            if (random.nextBoolean()) {
                if (model.put(address, step) == null) {
                    map.add(address, step);
                } else {
                    map.replace(address, step);
                }
            } else {
                Integer number = model.remove(address);
                assertEquals(number == null ? AddressMap.ABSENT : number, map.remove(address));
            }
            assertEquals(model.size(), map.size());
        }
        for (int i = 1; i <= addresses; i++) {
            long address = 0x7f3a_0000_0000L + 16L * i;
            assertEquals(model.getOrDefault(address, AddressMap.ABSENT), map.get(address));
        }
    }
}
