package dev.jvloop.benchmark.host;

import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Coroutines that Java submits to a loop on another thread: {@code async def same(value): return value}, with an int there
 * and back.
 */
@State(Scope.Benchmark)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class CoroutineBenchmark {
    private static final int WINDOW = 1000;

    private Python python;
    private PythonLoop loop;
    private PyObject same;
    private final ExecutorService executor =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
    private final Semaphore window = new Semaphore(WINDOW);

    /** Starts Python and a loop. */
    @Setup(Level.Trial)
    public void start() {
        python = Python.configure()
                .interpreter(Path.of(System.getProperty("jvloop.benchmark.python")))
                .start();
        python.exec("async def same(value): return value");
        same = python.eval("same");
        loop = python.startLoop("benchmark");
    }

    @TearDown(Level.Trial)
    public void close() {
        python.close();
        executor.close();
    }

    private CompletableFuture<Integer> submit() {
        return loop.submit(int.class, same, 7);
    }

    private static int result(CompletableFuture<Integer> future) {
        int value = future.join();
        if (value != 7) {
            throw new IllegalStateException("a coroutine returned something else");
        }
        return value;
    }

    /** From a platform thread that waits. */
    @Benchmark
    @BenchmarkMode(Mode.SampleTime)
    @OutputTimeUnit(TimeUnit.MICROSECONDS)
    public int roundTrip() {
        return result(submit());
    }

    /** From a virtual thread that waits. */
    @Benchmark
    @BenchmarkMode(Mode.SampleTime)
    @OutputTimeUnit(TimeUnit.MICROSECONDS)
    @Fork(value = 1, jvmArgsAppend = "-Djmh.executor=VIRTUAL")
    public int roundTripVirtual() {
        if (!Thread.currentThread().isVirtual()) {
            throw new IllegalStateException("JMH has no virtual threads");
        }
        return result(submit());
    }

    /** Without Python: what it costs here that two threads wake each other. */
    @Benchmark
    @BenchmarkMode(Mode.SampleTime)
    @OutputTimeUnit(TimeUnit.MICROSECONDS)
    public int roundTripExecutor() throws ExecutionException, InterruptedException {
        return executor.submit(() -> 7).get();
    }

    private int all(int count) {
        List<CompletableFuture<Integer>> futures = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            futures.add(submit());
        }
        return futures.stream().mapToInt(CoroutineBenchmark::result).sum();
    }

    /** Submits so many, then waits for all. */
    @Benchmark
    @BenchmarkMode(Mode.Throughput)
    @OutputTimeUnit(TimeUnit.SECONDS)
    @OperationsPerInvocation(1000)
    public int batchOf1000() {
        return all(1000);
    }

    /** As {@link #batchOf1000}. */
    @Benchmark
    @BenchmarkMode(Mode.Throughput)
    @OutputTimeUnit(TimeUnit.SECONDS)
    @OperationsPerInvocation(10_000)
    public int batchOf10000() {
        return all(10_000);
    }

    /** Submits one as soon as fewer than 1000 are on their way; a stage of each future says when that is. */
    @Benchmark
    @BenchmarkMode(Mode.Throughput)
    @OutputTimeUnit(TimeUnit.SECONDS)
    public CompletableFuture<Integer> windowOf1000() {
        window.acquireUninterruptibly();
        return submit().whenComplete((_, _) -> window.release());
    }
}
