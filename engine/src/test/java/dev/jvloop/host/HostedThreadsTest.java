package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.capi.Version;
import dev.jvloop.py.Gil;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Python called by many threads. */
class HostedThreadsTest {
    private static Python python;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("import threading, time\nlocal = threading.local()");
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
        }
    }

    private static <T> List<T> all(ExecutorService executor, int count, Callable<T> task) throws Exception {
        try (executor) {
            List<Future<T>> futures = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                futures.add(executor.submit(task));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : futures) {
                results.add(future.get(60, TimeUnit.SECONDS));
            }
            return results;
        }
    }

    @Test
    void eightThreadsCallAtOnce() throws Exception {
        try (PyObject total = python.eval("[0]");
                PyObject add = python.eval("lambda total: total.append(1)")) {
            List<Double> sums = all(Executors.newFixedThreadPool(8), 8, () -> {
                double sum = 0;
                for (int i = 0; i < 500; i++) {
                    add.call(total).close();
                    sum += python.call("math", "sqrt", i).as(double.class);
                }
                return sum;
            });
            assertEquals(1, sums.stream().distinct().count());
            assertEquals(1 + 8 * 500, total.length());
        }
    }

    @Test
    void eightThreadsCloseOneHandleThatOthersUse() throws Exception {
        for (int round = 0; round < 50; round++) {
            PyObject list = python.eval("[object()]");
            CountDownLatch together = new CountDownLatch(8);
            all(Executors.newFixedThreadPool(8), 8, () -> {
                together.countDown();
                together.await();
                try {
                    assertTrue(list.repr().startsWith("[<object"));
                } catch (IllegalStateException e) {
                    assertTrue(e.getMessage().contains("closed"), e::getMessage);
                }
                list.close();
                return null;
            });
        }
    }

    @Test
    void aThreadKeepsItsLocalValues() throws Exception {
        python.exec("def remember(value):\n    local.value = value\n    return threading.get_ident()");
        List<Boolean> kept = all(Executors.newFixedThreadPool(4), 16, () -> {
            String mine = Thread.currentThread().getName();
            long ident = python.call("__main__", "remember", mine).as(long.class);
            return python.eval("local.value", String.class).equals(mine)
                    && python.eval("threading.get_ident()", long.class) == ident;
        });
        assertEquals(List.of(true), kept.stream().distinct().toList());
    }

    @Test
    void virtualThreadsWaitWithoutTheirCarriers() throws Exception {
        int count = 4 * Runtime.getRuntime().availableProcessors() + 20;
        python.exec("import threading\nbarrier = threading.Barrier(" + count + ", timeout=60)");
        // All have to be in Python at the same time, more than there are carriers, or the barrier breaks.
        List<Integer> arrived =
                all(Executors.newVirtualThreadPerTaskExecutor(), count, () -> python.eval("barrier.wait()", int.class));
        assertEquals(count, arrived.stream().distinct().count());
    }

    @Test
    void anErrorInAVirtualThreadShowsItsCallers() throws Exception {
        List<PyException> errors = all(
                Executors.newVirtualThreadPerTaskExecutor(), 1, () -> assertThrows(PyException.class, () -> failing()));
        List<String> methods = Arrays.stream(errors.getFirst().getStackTrace())
                .map(StackTraceElement::getMethodName)
                .toList();
        assertTrue(methods.contains("failing"), methods::toString);
    }

    private static void failing() {
        python.exec("1 / 0");
    }

    @Test
    void aVirtualThreadThatIsInterruptedStillGetsItsResult() throws Exception {
        python.exec("inside = threading.Event(); go = threading.Event()");
        python.exec("def wait():\n    inside.set()\n    return go.wait(60)");
        List<Object> result = new ArrayList<>();
        Thread thread = Thread.ofVirtual().start(() -> {
            result.add(python.eval("wait()", Object.class));
            result.add(Thread.currentThread().isInterrupted());
        });
        python.eval("inside.wait(60)").close();
        thread.interrupt();
        python.eval("go.set()").close();
        thread.join();
        assertEquals(List.of(true, true), result);
    }

    @Test
    void deepRecursionInAThreadWithASmallStackIsAnError() throws Exception {
        python.exec("import json\nnested = []\nfor _ in range(1_000_000): nested = [nested]");
        List<String> types = new ArrayList<>();
        for (long stackSizeBytes : new long[] {128 << 10, 1 << 20, 8 << 20}) {
            Thread thread = new Thread(
                    null,
                    () -> types.add(assertThrows(PyException.class, () -> python.exec("json.dumps(nested)"))
                            .pythonType()),
                    "small",
                    stackSizeBytes);
            thread.start();
            thread.join();
        }
        assertEquals(List.of("RecursionError", "RecursionError", "RecursionError"), types);
    }

    @Test
    void deepRecursionOfAnyKindIsAnErrorInAThreadOfJavasOwnSize() throws Exception {
        python.exec("""
            import functools, json, marshal

            def sorting(_): return sorted([1, 2], key=sorting)
            def reducing(_x, _y): return functools.reduce(reducing, [1, 2, 3])
            def mapping(_): return list(map(mapping, [1]))

            class Endless:
                def __init__(self): self.more = Endless()
            class Sum:
                def __add__(self, other): return self + other
            class Sorted:
                def __lt__(self, other): return sorted([Sorted(), Sorted()])

            nested = []
            for _ in range(1_000_000): nested = [nested]
            """);
        List<String> sources = List.of(
                "sorting(1)",
                "reducing(1, 2)",
                "mapping(1)",
                "Endless()",
                "Sum() + Sum()",
                "sorted([Sorted(), Sorted()])",
                "repr(nested)",
                "json.dumps(nested)",
                "json.loads('[' * 1_000_000)",
                "eval('-' * 50_000 + '1')",
                "eval('(' * 5000 + '1' + ')' * 5000)");
        List<String> ended = new ArrayList<>();
        Thread thread = new Thread(
                null,
                () -> {
                    for (String source : sources) {
                        try {
                            python.exec(source);
                        } catch (PyException e) {
                            ended.add(e.pythonType());
                        }
                    }
                },
                "of Java's size",
                1 << 20);
        thread.start();
        thread.join();
        assertEquals(sources.size(), ended.size());
        // The parser says it is too deep, in one way or the other.
        assertTrue(Set.of("RecursionError", "MemoryError", "SyntaxError").containsAll(ended), ended::toString);
        // Python functions that call each other need no C stack.
        python.exec("def down(n): return 0 if n == 0 else 1 + down(n - 1)");
        assertEquals(900, inThreadOfJavasSize(() -> python.eval("down(900)", int.class)));
    }

    @Test
    void aThreadOfJavasOwnSizeRunsPythonItself() throws Exception {
        assumeTrue(Version.COUNTS_C_RECURSION, "elsewhere its stack is too small, and cannot be spared");
        List<Long> idents = inThreadOfJavasSize(() -> List.of(
                Gil.threadIdent(),
                python.callAs(long.class, "threading", "get_ident"),
                python.callAs(long.class, "threading", "get_ident")));
        assertEquals(1, Set.copyOf(idents).size());
    }

    private static <T> T inThreadOfJavasSize(Callable<T> call) throws Exception {
        FutureTask<T> task = new FutureTask<>(call);
        new Thread(null, task, "of Java's size", 1 << 20).start();
        return task.get();
    }

    @Test
    void statesOfEndedThreadsAreDeleted() throws Exception {
        PythonThreads threads = ((Interpreter) python).threads();
        long before = threads.knownCount();
        python.exec("import weakref\nclass Kept: pass\nkept = weakref.WeakSet()");
        python.exec("def keep():\n    local.kept = Kept()\n    kept.add(local.kept)");
        for (int i = 0; i < 20; i++) {
            Thread thread =
                    Thread.ofPlatform().start(() -> python.eval("keep()").close());
            thread.join();
        }
        boolean freeThreaded = python.eval("'t' in __import__('sys').abiflags", boolean.class);
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (threads.knownCount() > before + 2 || (!freeThreaded && python.eval("len(kept)", int.class) > 2)) {
            assertTrue(System.nanoTime() < deadline, () -> threads.knownCount() + " states, " + before + " before");
            System.gc();
        }
        // Those that go on have theirs still.
        assertEquals(2, python.eval("1 + 1", int.class));
    }

    @Test
    void pythonsThreadsGoOnWhileJavaWaits() throws Exception {
        python.exec("""
            done = threading.Event()
            worker = threading.Thread(target=done.set)
            worker.start()
            """);
        assertTrue(python.eval("done.wait(60)", boolean.class));
        python.exec("worker.join()");
    }
}
