package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ObjectPoolTest {
    @Test
    void givesEachObjectBackOnceAndIsFullAtItsCapacity() {
        ObjectPool pool = new ObjectPool(500);
        assertTrue(pool.isEmpty());
        for (long object = 1; object <= 500; object++) {
            assertFalse(pool.isFull());
            pool.add(object);
        }
        assertTrue(pool.isFull());
        List<Long> shown = new ArrayList<>();
        pool.forEach(shown::add);
        List<Long> taken = new ArrayList<>();
        while (!pool.isEmpty()) {
            taken.add(pool.takeOwned());
        }
        assertEquals(500, taken.stream().distinct().count());
        assertEquals(shown, taken.reversed());
        assertFalse(pool.isFull());
    }
}
