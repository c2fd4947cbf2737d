package dev.jvloop.loop;

import dev.jvloop.benchmark.EngineBenchmark;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The ready queue: among handles that wait, and as it fills and empties. */
public class ReadyQueueBenchmark extends EngineBenchmark {
    private static final int BURST = 20_000;

    /** A queue in which there are always as many handles. */
    @State(Scope.Thread)
    public static class Waiting {
        @Param({"1", "100", "10000", "100000"})
        private int handles;

        private final ReadyQueue queue = new ReadyQueue();

        /** Lets the handles in. */
        @Setup
        public void fill() {
            for (int i = 0; i < handles; i++) {
                queue.push(i);
            }
        }
    }

    /** The next handle leaves and comes back at the end: a callback that schedules itself. */
    @Benchmark
    public void runAndSchedule(Waiting waiting) {
        waiting.queue.push(waiting.queue.pop());
    }

    /** The queue grows from nothing to 20,000 handles and is emptied; an operation is one handle. */
    @Benchmark
    @OperationsPerInvocation(BURST)
    public long burst() {
        ReadyQueue queue = new ReadyQueue();
        for (int i = 0; i < BURST; i++) {
            queue.push(i);
        }
        long sum = 0;
        while (!queue.isEmpty()) {
            sum += queue.pop();
        }
        return sum;
    }
}
