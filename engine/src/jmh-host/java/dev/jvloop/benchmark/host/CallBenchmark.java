package dev.jvloop.benchmark.host;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Calls of Python from one Java thread. The JVM has the options that a Java program has: none.
 *
 * <p>{@code tools/bench-host.sh} gives the interpreter in the property {@code jvloop.benchmark.python}, and JEP's library
 * in {@code jvloop.benchmark.jep}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class CallBenchmark {
    /** Who runs Python. */
    @Param({"jvloop", "jep"})
    public String host;

    private PythonHost python;
    private double number = 2.0;
    private final String text = "a text of 24 characters.";
    private final int[] values = IntStream.range(0, 100).toArray();

    /** In the thread that calls: JEP's interpreters belong to the one that made them. */
    @Setup(Level.Trial)
    public void start() throws ReflectiveOperationException {
        python = host.equals("jvloop")
                ? new JvloopHost(Path.of(System.getProperty("jvloop.benchmark.python")))
                : Class.forName("dev.jvloop.benchmark.host.JepHost")
                        .asSubclass(PythonHost.class)
                        .getConstructor(Path.class)
                        .newInstance(Path.of(System.getProperty("jvloop.benchmark.jep")));
        check(squareRoot() == Math.sqrt(2.0));
        check(squareRootByName() == Math.sqrt(2.0));
        check(upper().equals("A TEXT OF 24 CHARACTERS."));
        check(sorted().size() == 100);
        check(attribute() == 12345);
        check(lastByte() == 255);
        check(fail().contains("no such thing"));
    }

    private static void check(boolean isRight) {
        if (!isRight) {
            throw new IllegalStateException("a row does not do what it says");
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        python.close();
    }

    @Benchmark
    public double squareRoot() {
        return python.squareRoot(number);
    }

    @Benchmark
    public double squareRootByName() {
        return python.squareRootByName(number);
    }

    @Benchmark
    public String upper() {
        return python.upper(text);
    }

    @Benchmark
    public List<?> sorted() {
        return python.sorted(values);
    }

    @Benchmark
    public long attribute() {
        return python.attribute();
    }

    @Benchmark
    public int lastByte() {
        return python.lastByte();
    }

    @Benchmark
    public void execute() {
        python.execute();
    }

    @Benchmark
    public String fail() {
        return python.fail();
    }
}
