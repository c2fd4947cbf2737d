package dev.jvloop.timer;

import dev.jvloop.benchmark.EngineBenchmark;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The timer heap amid 100 to 100,000 live timers. */
@State(Scope.Thread)
public class TimerHeapBenchmark extends EngineBenchmark {
    private static final long HOUR_NANOS = 3_600_000_000_000L;

    @Param({"100", "1000", "10000", "100000"})
    private int live;

    private final TimerHeap heap = new TimerHeap();
    private final SplittableRandom random = new SplittableRandom(7);

    /** Handles are numbers here: those that wait, by place, and those that are free, on a stack. */
    private long[] waiting;

    private long[] free;
    private int freeCount;
    private boolean[] cancelled;
    private int place;

    /** Every live timer waits for up to an hour. */
    @Setup
    public void fill() {
        int most = 4 * live + 1000;
        waiting = new long[live];
        free = new long[most];
        cancelled = new boolean[most];
        for (int handle = 0; handle < most; handle++) {
            free[freeCount++] = handle;
        }
        for (int i = 0; i < live; i++) {
            waiting[i] = free[--freeCount];
            heap.push(random.nextLong(HOUR_NANOS), waiting[i]);
        }
    }

    /** The first timer fires and another one comes, for any time in the hour after it. */
    @Benchmark
    public long fireAndSchedule() {
        long deadline = heap.firstDeadline() + random.nextLong(HOUR_NANOS);
        long handle = heap.pop();
        heap.push(deadline, handle);
        return handle;
    }

    /** A timer is cancelled and another takes its place: a timeout that is put off. Rebuilding the heap is part of it. */
    @Benchmark
    public void putOff() {
        place = place + 1 == live ? 0 : place + 1;
        cancelled[(int) waiting[place]] = true;
        heap.noteCancelled();
        if (heap.wantsCompaction()) {
            heap.compact(handle -> cancelled[(int) handle], this::release);
        }
        long handle = free[--freeCount];
        waiting[place] = handle;
        heap.push(random.nextLong(HOUR_NANOS), handle);
    }

    private void release(long handle) {
        cancelled[(int) handle] = false;
        free[freeCount++] = handle;
    }
}
