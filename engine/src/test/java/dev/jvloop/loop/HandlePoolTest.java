package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HandlePoolTest {
    @Test
    void givesEachHandleBackOnceAndIsFullAtItsCapacity() {
        HandlePool pool = new HandlePool(500);
        assertTrue(pool.isEmpty());
        for (long handle = 1; handle <= 500; handle++) {
            assertFalse(pool.isFull());
            pool.add(handle);
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
