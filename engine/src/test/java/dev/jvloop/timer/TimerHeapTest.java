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
        assertFalse(heap.wantsCompaction());
    }

    @Test
    void timersLeaveByDeadlineWhateverTheOrderTheyCame() {
        for (long deadline : new long[] {5, 1, 4, Long.MAX_VALUE, -3, 2, Long.MIN_VALUE, 0}) {
            heap.push(deadline, deadline);
        }
        assertEquals(List.of(Long.MIN_VALUE, -3L, 0L, 1L, 2L, 4L, 5L, Long.MAX_VALUE), popAll());
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
    void equalDeadlinesStayInOrderAcrossPopsAndCompaction() {
        for (long handle = 1; handle <= 300; handle++) {
            heap.push(handle % 3, handle);
        }
        List<Long> left = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            left.add(heap.pop());
        }
        heap.compact(handle -> handle % 2 == 0, _ -> {});
        for (long handle = 301; handle <= 400; handle++) {
            heap.push(handle % 3, handle);
        }
        left.addAll(popAll());
        for (int rest = 0; rest < 3; rest++) {
            int ofDeadline = rest;
            List<Long> ofOne =
                    left.stream().filter(handle -> handle % 3 == ofDeadline).toList();
            assertEquals(ofOne.stream().sorted().toList(), ofOne);
        }
    }

    @Test
    void firstIsWhatPopGives() {
        heap.push(20, 2);
        heap.push(10, 1);
        assertEquals(10, heap.firstDeadline());
        assertEquals(1, heap.firstHandle());
        assertEquals(1, heap.pop());
        assertEquals(20, heap.firstDeadline());
        assertEquals(2, heap.firstHandle());
        assertEquals(1, heap.size());
    }

    @Test
    void aSmallHeapIsNeverCompactedForItsCancelledTimers() {
        for (long handle = 1; handle <= 100; handle++) {
            heap.push(handle, handle);
            heap.noteCancelled();
        }
        assertFalse(heap.wantsCompaction());
    }

    @Test
    void aLargeHeapWantsCompactionOnceMoreThanHalfIsCancelled() {
        for (long handle = 1; handle <= 200; handle++) {
            heap.push(handle, handle);
        }
        for (int i = 0; i < 100; i++) {
            heap.noteCancelled();
        }
        assertFalse(heap.wantsCompaction());
        heap.noteCancelled();
        assertTrue(heap.wantsCompaction());
        heap.noteCancelledLeft();
        assertFalse(heap.wantsCompaction());
    }

    @Test
    void compactionDropsEachCancelledHandleOnceAndKeepsTheRest() {
        Map<Long, Integer> drops = new HashMap<>();
        for (long handle = 1; handle <= 1000; handle++) {
            heap.push(1000 - handle, handle);
            if (handle % 5 != 0) {
                heap.noteCancelled();
            }
        }
        heap.compact(handle -> handle % 5 != 0, handle -> drops.merge(handle, 1, Integer::sum));
        assertEquals(800, drops.size());
        assertTrue(drops.values().stream().allMatch(count -> count == 1));
        assertEquals(200, heap.size());
        assertFalse(heap.wantsCompaction());
        List<Long> left = popAll();
        assertEquals(200, left.size());
        assertEquals(1000, left.getFirst());
        assertEquals(5, left.getLast());
        assertTrue(left.stream().noneMatch(drops::containsKey));
    }

    @Test
    void aTimerScheduledWhileCompactionDropsIsKept() {
        for (long handle = 1; handle <= 200; handle++) {
            heap.push(handle, handle);
        }
        heap.compact(handle -> handle > 1, handle -> heap.push(-handle, handle + 1000));
        assertEquals(200, heap.size());
        assertEquals(1200, heap.firstHandle());
        List<Long> left = popAll();
        assertEquals(1, left.getLast());
    }

    @Test
    void compactionOfEverythingLeavesAUsableHeap() {
        for (long handle = 1; handle <= 500; handle++) {
            heap.push(handle, handle);
        }
        heap.compact(_ -> true, _ -> {});
        assertTrue(heap.isEmpty());
        heap.push(3, 33);
        assertEquals(List.of(33L), popAll());
    }

    @Test
    void manyCancelledTimersDoNotHoldMemory() throws ReflectiveOperationException {
        for (long handle = 1; handle <= 100_000; handle++) {
            heap.push(handle, handle);
            heap.noteCancelled();
            if (heap.wantsCompaction()) {
                heap.compact(_ -> true, _ -> {});
            }
        }
        assertTrue(heap.size() <= 101, () -> "size " + heap.size());
        assertTrue(capacity() <= 256, "the arrays did not shrink");

        for (long handle = 1; handle <= 100_000; handle++) {
            heap.push(handle, handle);
        }
        heap.compact(handle -> handle != 77, _ -> {});
        assertTrue(capacity() <= 256, "the arrays did not shrink");
        assertEquals(77, heap.pop());
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

    /** As the loop uses it: push, cancel, pop, drop cancelled ones at the top, compact; against a PriorityQueue. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void behavesAsAPriorityQueueUnderRandomOperations(long seed) {
        Random random = new Random(seed);
        PriorityQueue<Timer> model = new PriorityQueue<>();
        List<Timer> pending = new ArrayList<>();
        Set<Long> cancelled = new HashSet<>();
        Set<Long> dropped = new HashSet<>();
        long nextHandle = 1;
        for (int step = 0; step < 100_000; step++) {
            int choice = random.nextInt(100);
            if (choice < 45) {
                Timer timer = new Timer(random.nextInt(500), nextHandle, nextHandle);
                heap.push(timer.deadline, timer.handle);
                model.add(timer);
                pending.add(timer);
                nextHandle++;
            } else if (choice < 85 && !pending.isEmpty()) {
                Timer timer = pending.remove(random.nextInt(pending.size()));
                if (model.contains(timer) && cancelled.add(timer.handle)) {
                    heap.noteCancelled();
                }
            } else if (!model.isEmpty()) {
                Timer expected = model.poll();
                assertEquals(expected.deadline, heap.firstDeadline());
                assertEquals(expected.handle, heap.pop());
                if (cancelled.contains(expected.handle)) {
                    heap.noteCancelledLeft();
                }
                assertTrue(dropped.add(expected.handle));
            }
            if (heap.wantsCompaction()) {
                heap.compact(cancelled::contains, handle -> assertTrue(dropped.add(handle), "dropped twice"));
                model.removeIf(timer -> cancelled.contains(timer.handle));
            }
            assertEquals(model.size(), heap.size());
        }
        while (!model.isEmpty()) {
            long handle = heap.pop();
            assertEquals(model.poll().handle, handle);
            assertTrue(dropped.add(handle), "dropped twice");
        }
        assertTrue(heap.isEmpty());
        assertEquals(nextHandle - 1, dropped.size(), "every handle left exactly once");
    }

    private List<Long> popAll() {
        List<Long> handles = new ArrayList<>();
        while (!heap.isEmpty()) {
            handles.add(heap.pop());
        }
        return handles;
    }

    private int capacity() throws ReflectiveOperationException {
        var field = TimerHeap.class.getDeclaredField("handles");
        field.setAccessible(true);
        return ((long[]) field.get(heap)).length;
    }
}
