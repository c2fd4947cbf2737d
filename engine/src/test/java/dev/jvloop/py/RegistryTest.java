package dev.jvloop.py;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class RegistryTest {
    @Test
    void anIdFindsItsObjectUntilItIsRemoved() {
        Object object = new Object();
        int id = Registry.add(object);
        assertNotEquals(0, id);
        assertSame(object, Registry.get(id));
        Registry.remove(id);
        assertNull(Registry.get(id));
        assertNull(Registry.get(0));
    }

    @Test
    void idsAreUniqueAndReusedOnlyAfterRemoval() {
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            ids.add(Registry.add(i));
        }
        assertEquals(1000, Set.copyOf(ids).size());
        for (int i = 0; i < 1000; i++) {
            assertEquals(i, Registry.get(ids.get(i)));
        }
        ids.forEach(Registry::remove);
        List<Integer> again = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            again.add(Registry.add(i));
        }
        assertEquals(Set.copyOf(ids), Set.copyOf(again));
        again.forEach(Registry::remove);
    }

    @Test
    void threadsNeverShareAnId() throws Exception {
        Set<Integer> taken = ConcurrentHashMap.newKeySet();
        Callable<Integer> worker = () -> {
            int clashes = 0;
            for (int i = 0; i < 20_000; i++) {
                int id = Registry.add(Thread.currentThread());
                if (!taken.add(id) || Registry.get(id) != Thread.currentThread()) {
                    clashes++;
                }
                taken.remove(id);
                Registry.remove(id);
            }
            return clashes;
        };
        try (var threads = Executors.newFixedThreadPool(3)) {
            for (Future<Integer> clashes : threads.invokeAll(List.of(worker, worker, worker))) {
                assertEquals(0, clashes.get());
            }
        }
    }
}
