package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ReadyQueueTest {
    private final ReadyQueue queue = new ReadyQueue();

    @Test
    void handlesLeaveInTheOrderTheyCame() {
        for (long handle = 1; handle <= 10_000; handle++) {
            queue.push(handle);
        }
        for (long handle = 1; handle <= 10_000; handle++) {
            assertEquals(handle, queue.pop());
        }
        assertTrue(queue.isEmpty());
    }

    @Test
    void orderSurvivesGrowthWhileTheRingIsWrapped() {
        for (long handle = 1; handle <= 200; handle++) {
            queue.push(handle);
        }
        for (long handle = 1; handle <= 150; handle++) {
            assertEquals(handle, queue.pop());
        }
        for (long handle = 201; handle <= 2000; handle++) {
            queue.push(handle);
        }
        assertEquals(1850, queue.size());
        for (long handle = 151; handle <= 2000; handle++) {
            assertEquals(handle, queue.pop());
        }
    }

    @Test
    void forEachShowsWhatIsQueuedInOrderAndTakesNothing() {
        for (long handle = 1; handle <= 250; handle++) {
            queue.push(handle);
        }
        for (int i = 0; i < 200; i++) {
            queue.pop();
        }
        for (long handle = 251; handle <= 300; handle++) {
            queue.push(handle);
        }
        List<Long> shown = new ArrayList<>();
        queue.forEach(shown::add);
        assertEquals(100, shown.size());
        assertEquals(201, shown.getFirst());
        assertEquals(300, shown.getLast());
        assertEquals(shown.stream().sorted().toList(), shown);
        assertEquals(100, queue.size());
    }

    @Test
    void aBurstGivesItsMemoryBackOnceItIsOver() throws ReflectiveOperationException {
        int burst = 200_000;
        for (long handle = 1; handle <= burst; handle++) {
            queue.push(handle);
        }
        assertTrue(ring().length >= burst);
        for (long handle = 1; handle <= burst; handle++) {
            assertEquals(handle, queue.pop());
        }
        assertTrue(ring().length < 1024, "the ring did not shrink");
        queue.push(7);
        assertEquals(7, queue.pop());
    }

    @Test
    void whatWasTakenLeavesNoAddressBehind() throws ReflectiveOperationException {
        for (long handle = 1; handle <= 100; handle++) {
            queue.push(handle);
        }
        while (!queue.isEmpty()) {
            queue.pop();
        }
        assertArrayEquals(new long[ring().length], ring());
    }

    @Test
    void behavesAsADequeUnderRandomOperations() {
        Random random = new Random(4);
        ArrayDeque<Long> model = new ArrayDeque<>();
        long next = 1;
        for (int step = 0; step < 200_000; step++) {
            // Drifts between filling up and running empty, so that the head passes the end of rings of all sizes.
            boolean filling = step / 5_000 % 2 == 0;
            if (random.nextInt(10) < (filling ? 6 : 4) || model.isEmpty()) {
                queue.push(next);
                model.add(next++);
            } else {
                assertEquals(model.remove(), queue.pop());
            }
            assertEquals(model.size(), queue.size());
            assertEquals(model.isEmpty(), queue.isEmpty());
        }
        while (!model.isEmpty()) {
            assertFalse(queue.isEmpty());
            assertEquals(model.remove(), queue.pop());
        }
    }

    private long[] ring() throws ReflectiveOperationException {
        var field = ReadyQueue.class.getDeclaredField("ring");
        field.setAccessible(true);
        return (long[]) field.get(queue);
    }
}
