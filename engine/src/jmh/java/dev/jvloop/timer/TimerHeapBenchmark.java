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

    /** Handles are numbers here, from 1 on; by place, the node of each. */
    private int[] nodes;

    private int place;

    /** Every live timer waits for up to an hour. */
    @Setup
    public void fill() {
        nodes = new int[live];
        for (int i = 0; i < live; i++) {
            nodes[i] = heap.push(random.nextLong(HOUR_NANOS), i + 1);
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
        heap.cancel(nodes[place]);
        nodes[place] = heap.push(random.nextLong(HOUR_NANOS), place + 1);
    }
}
