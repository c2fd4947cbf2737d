package dev.jvloop.timer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimerHeapTest {
    private final TimerHeap heap = new TimerHeap();

    /** A timer as the reference model sees it. */
    private record Timer(long deadline, long number, long handle) implements Comparable<Timer> {
        @Override
        public int compareTo(Timer other) {
            int byDeadline = Long.compare(deadline, other.deadline);
            return byDeadline != 0 ? byDeadline : Long.compare(number, other.number);
        }
    }

    @Test
    void startsEmpty() {
        assertTrue(heap.isEmpty());
        assertEquals(0, heap.size());
        assertFalse(heap.wantsToShrink());
    }

    @Test
    void timersLeaveByDeadlineWhateverTheOrderTheyCame() {
        for (long deadline : new long[] {5, 1, 4, Long.MAX_VALUE, -3, 2, Long.MIN_VALUE}) {
            heap.push(deadline, deadline);
        }
        assertEquals(List.of(Long.MIN_VALUE, -3L, 1L, 2L, 4L, 5L, Long.MAX_VALUE), popAll());
    }

    @Test
    void timersOfOneDeadlineLeaveInTheOrderTheyCame() {
        List<Long> expected = new ArrayList<>();
        for (long handle = 1; handle <= 1000; handle++) {
            heap.push(7, handle);
            expected.add(handle);
        }
        assertEquals(expected, popAll());
    }

    @Test
    void equalDeadlinesStayInOrderAcrossPopsCancelsAndShrinking() {
        Map<Long, Integer> nodes = new HashMap<>();
        for (long handle = 1; handle <= 40_000; handle++) {
            nodes.put(handle, heap.push(handle % 3, handle));
        }
        List<Long> left = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            left.add(heap.pop());
        }
        left.forEach(nodes::remove);
        for (long handle = 1; handle <= 40_000; handle++) {
            if (handle % 20 != 0 && nodes.containsKey(handle)) {
                heap.cancel(nodes.remove(handle));
            }
        }
        assertTrue(heap.wantsToShrink());
        heap.shrink(nodes::put);
        for (long handle = 40_001; handle <= 40_100; handle++) {
            nodes.put(handle, heap.push(handle % 3, handle));
        }
        nodes.forEach((handle, node) -> assertTrue(heap.has(node, handle)));
        left.addAll(popAll());
        for (int rest = 0; rest < 3; rest++) {
            int ofDeadline = rest;
            List<Long> ofOne =
                    left.stream().filter(handle -> handle % 3 == ofDeadline).toList();
            assertEquals(ofOne.stream().sorted().toList(), ofOne);
        }
        assertEquals(50 + 1998 + 100, left.size());
    }

    @Test
    void firstIsWhatPopGives() {
        heap.push(20, 2);
        heap.push(10, 1);
        assertEquals(10, heap.firstDeadline());
        assertEquals(1, heap.pop());
        assertEquals(20, heap.firstDeadline());
        assertEquals(1, heap.size());
    }

    @Test
    void aCancelledTimerIsNeitherFirstNorShown() {
        int first = heap.push(1, 11);
        heap.push(2, 22);
        assertTrue(heap.has(first, 11));
        heap.cancel(first);
        assertFalse(heap.has(first, 11));
        assertEquals(2, heap.firstDeadline());
        heap.forEach(handle -> assertEquals(22, handle));
        assertEquals(22, heap.pop());
        assertTrue(heap.isEmpty());
    }

    @Test
    void aHeapOfCancelledTimersAloneIsEmpty() {
        List<Integer> nodes = new ArrayList<>();
        for (long handle = 1; handle <= 50; handle++) {
            nodes.add(heap.push(handle, handle));
        }
        nodes.forEach(heap::cancel);
        assertTrue(heap.isEmpty());
        heap.push(3, 33);
        assertEquals(List.of(33L), popAll());
    }

    @Test
    void aNodeIsUsedAgainForAnotherTimer() {
        int node = heap.push(1, 11);
        assertEquals(11, heap.pop());
        assertFalse(heap.has(node, 11));
        assertEquals(node, heap.push(1, 22));
        assertTrue(heap.has(node, 22));
        assertFalse(heap.has(node, 11));
    }

    @Test
    void aNumberThatIsNoNodeHasNothing() {
        heap.push(1, 11);
        assertFalse(heap.has(-1, 11));
        assertFalse(heap.has(1, 11));
        assertFalse(heap.has(1, 0));
        assertFalse(heap.has(1_000_000, 0));
    }

    @Test
    void manyCancelledTimersDoNotHoldMemory() {
        heap.push(0, 1);
        for (long handle = 2; handle <= 100_000; handle++) {
            heap.cancel(heap.push(handle, handle));
        }
        assertTrue(heap.size() <= 101, () -> "size " + heap.size());
        assertTrue(heap.nodeCapacity() <= 256, "the arrays grew");
    }

    @Test
    void theArraysShrinkWhenManyHaveLeft() {
        Map<Long, Integer> nodes = new HashMap<>();
        for (long handle = 1; handle <= 100_000; handle++) {
            nodes.put(handle, heap.push(handle, handle));
        }
        assertFalse(heap.wantsToShrink());
        for (long handle = 1; handle < 100_000; handle++) {
            heap.pop();
        }
        assertTrue(heap.wantsToShrink());
        heap.shrink(nodes::put);
        assertTrue(heap.nodeCapacity() <= 64, "the arrays did not shrink");
        assertEquals(0, nodes.get(100_000L));
        assertEquals(100_000, heap.pop());
    }

    @Test
    void forEachShowsEveryHandleOnce() {
        Set<Long> shown = new HashSet<>();
        for (long handle = 1; handle <= 100; handle++) {
            heap.push(handle * 31 % 17, handle);
        }
        heap.pop();
        heap.forEach(handle -> assertTrue(shown.add(handle)));
        assertEquals(99, shown.size());
        assertFalse(shown.contains(0L));
    }

    /** As the loop uses it: push, cancel, pop, shrink; against a PriorityQueue. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void behavesAsAPriorityQueueUnderRandomOperations(long seed) {
        Random random = new Random(seed);
        PriorityQueue<Timer> model = new PriorityQueue<>();
        List<Timer> pending = new ArrayList<>();
        Map<Long, Integer> nodes = new HashMap<>();
        long nextHandle = 1;
        for (int step = 0; step < 100_000; step++) {
            int choice = random.nextInt(100);
            if (choice < 45) {
                Timer timer = new Timer(random.nextInt(500), nextHandle, nextHandle);
                nodes.put(timer.handle, heap.push(timer.deadline, timer.handle));
                model.add(timer);
                pending.add(timer);
                nextHandle++;
            } else if (choice < 85 && !pending.isEmpty()) {
                Timer timer = pending.remove(random.nextInt(pending.size()));
                int node = nodes.get(timer.handle);
                assertEquals(model.remove(timer), heap.has(node, timer.handle));
                if (heap.has(node, timer.handle)) {
                    heap.cancel(node);
                }
            } else if (!model.isEmpty()) {
                Timer expected = model.poll();
                assertEquals(expected.deadline, heap.firstDeadline());
                assertEquals(expected.handle, heap.pop());
            }
            if (random.nextInt(500) == 0) {
                heap.shrink(nodes::put);
                assertEquals(model.size(), heap.size());
            }
            assertEquals(model.isEmpty(), heap.isEmpty());
        }
        List<Long> expected = new ArrayList<>();
        while (!model.isEmpty()) {
            expected.add(model.poll().handle);
        }
        assertEquals(expected, popAll());
    }

    private List<Long> popAll() {
        List<Long> handles = new ArrayList<>();
        while (!heap.isEmpty()) {
            handles.add(heap.pop());
        }
        return handles;
    }
}
