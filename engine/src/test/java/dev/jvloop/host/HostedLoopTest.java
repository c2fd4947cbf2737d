package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.Keywords;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Coroutines as futures. */
class HostedLoopTest {
    private static Python python;
    private static PythonLoop loop;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("""
            import asyncio, gc, threading, warnings

            reports = []

            async def echo(value, *, after=0):
                if after:
                    await asyncio.sleep(after)
                return value

            async def when(event, value):
                await asyncio.to_thread(event.wait, 60)
                return value

            async def fail(text):
                await asyncio.sleep(0)
                try:
                    {}[text]
                except KeyError as e:
                    raise ValueError(text) from e

            class Forever:
                '''A coroutine that runs until it is cancelled, and what happened to it.'''
                def __init__(self):
                    self.began = threading.Event()
                    self.ended = threading.Event()
                    self.how = None

                async def run(self, then=None):
                    self.began.set()
                    try:
                        await asyncio.get_running_loop().create_future()
                    except BaseException as e:
                        self.how = type(e).__name__
                        if then is not None:
                            raise then
                        raise
                    finally:
                        self.ended.set()
            """);
        loop = python.loop();
        loop.submit(
                        PyObject.class,
                        python.eval("lambda: asyncio.get_running_loop().set_exception_handler("
                                + "lambda loop, context: reports.append(str(context.get('exception'))))"))
                .join();
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close(Duration.ofSeconds(20));
        }
    }

    @BeforeEach
    void forgetReports() {
        python.exec("reports.clear()");
    }

    private static <T> T within(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static Throwable causeOf(CompletableFuture<?> future) {
        return assertThrows(ExecutionException.class, () -> within(future)).getCause();
    }

    private static PyObject forever() {
        return python.eval("Forever()");
    }

    private static CompletableFuture<PyObject> begun(PyObject forever, Object... arguments) {
        CompletableFuture<PyObject> future = loop.submit(forever.attribute("run"), arguments);
        assertTrue(forever.attribute("began").callMethod("wait", 60).isTrue());
        return future;
    }

    /** How the coroutine ended; waits for it. */
    private static String end(PyObject forever) {
        assertTrue(forever.attribute("ended").callMethod("wait", 60).isTrue());
        return forever.attribute("how").as(String.class);
    }

    /** Tasks that the loop has, this question's own left out. */
    private static int taskCount() throws Exception {
        return within(loop.submit(int.class, python.eval("lambda: len(asyncio.all_tasks())")));
    }

    @Test
    void aCoroutineIsAFuture() throws Exception {
        assertEquals("x", within(loop.submit(String.class, "__main__", "echo", "x")));
        assertEquals(7, within(loop.submit(int.class, "__main__", "echo", 7, Keywords.of("after", 0.001))));
        try (PyObject result = within(loop.submit("__main__", "echo", List.of(1, 2)))) {
            assertEquals("[1, 2]", result.repr());
        }
        assertEquals(null, within(loop.submit(String.class, "asyncio", "sleep", 0)));
    }

    @Test
    void coroutineObjectsFuturesAndFunctionsAreTaken() throws Exception {
        assertEquals(1, within(loop.submit(int.class, python.eval("echo(1)"))));
        assertEquals(2, within(loop.submit(int.class, python.eval("echo"), 2)));
        assertEquals(3, within(loop.submit(int.class, python.eval("lambda: 3"))));
        assertEquals(
                List.of(4L, 5L),
                within(loop.submit(List.class, python.eval("lambda: asyncio.gather(echo(4), echo(5))"))));
        PyObject future = within(loop.submit(python.eval("lambda: [asyncio.get_running_loop().create_future()]")));
        CompletableFuture<String> result = loop.submit(String.class, future.item(0));
        within(loop.submit(python.eval("lambda box: box[0].set_result('set')"), future));
        assertEquals("set", within(result));
    }

    @Test
    void manyAreGatheredByAllOf() throws Exception {
        List<CompletableFuture<Integer>> futures = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            futures.add(loop.submit(int.class, "__main__", "echo", i, Keywords.of("after", i % 3 * 0.001)));
        }
        within(CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new)));
        for (int i = 0; i < 100; i++) {
            assertEquals(i, futures.get(i).join());
        }
    }

    @Test
    void whatPythonRaisesCompletesTheFuture() {
        PyException e = assertInstanceOf(PyException.class, causeOf(loop.submit("__main__", "fail", "no")));
        assertEquals("ValueError", e.pythonType());
        assertEquals("no", e.pythonMessage());
        assertEquals("fail", e.pythonStackTrace()[0].getMethodName());
        assertEquals(
                "KeyError", assertInstanceOf(PyException.class, e.getCause()).pythonType());
        // It is one thing to fail on the way to a coroutine.
        e = assertInstanceOf(PyException.class, causeOf(loop.submit("no_such_module", "f")));
        assertEquals("ModuleNotFoundError", e.pythonType());
        e = assertInstanceOf(PyException.class, causeOf(loop.submit("__main__", "no_such_function")));
        assertEquals("AttributeError", e.pythonType());
        e = assertInstanceOf(PyException.class, causeOf(loop.submit("__main__", "echo")));
        assertEquals("TypeError", e.pythonType());
        assertInstanceOf(IllegalArgumentException.class, causeOf(loop.submit("__main__", "echo", new Random())));
        assertInstanceOf(ClassCastException.class, causeOf(loop.submit(int.class, "__main__", "echo", "x")));
        assertInstanceOf(ArithmeticException.class, causeOf(loop.submit(int.class, "__main__", "echo", 1L << 40)));
    }

    @Test
    void cancellingTheFutureCancelsTheTask() {
        PyObject forever = forever();
        CompletableFuture<PyObject> future = begun(forever);
        assertTrue(future.cancel(true));
        assertTrue(future.isCancelled());
        assertThrows(CancellationException.class, future::join);
        assertEquals("CancelledError", end(forever));
    }

    @Test
    void aFutureCancelledBeforeItBeganNeverBegins() throws Exception {
        PyObject forever = forever();
        PyObject go = python.eval("threading.Event()");
        CompletableFuture<PyObject> blocked = loop.submit(go.attribute("wait"), 60);
        CompletableFuture<PyObject> future = loop.submit(forever.attribute("run"));
        future.cancel(true);
        go.callMethod("set");
        within(blocked);
        taskCount();
        assertFalse(forever.attribute("began").callMethod("is_set").isTrue());
    }

    @Test
    void aTimeoutCancelsTheTask() {
        PyObject forever = forever();
        CompletableFuture<PyObject> future = begun(forever).orTimeout(1, TimeUnit.MILLISECONDS);
        assertInstanceOf(TimeoutException.class, causeOf(future));
        assertEquals("CancelledError", end(forever));
        forever = forever();
        future = begun(forever).completeOnTimeout(null, 1, TimeUnit.MILLISECONDS);
        assertEquals(null, future.join());
        assertEquals("CancelledError", end(forever));
    }

    @Test
    void aTaskThatIsCancelledInPythonCancelsTheFuture() throws Exception {
        PyObject forever = forever();
        CompletableFuture<PyObject> future = begun(forever);
        within(loop.submit(python.eval("lambda: [t.cancel() for t in asyncio.all_tasks()]")));
        assertThrows(CancellationException.class, () -> within(future));
        assertTrue(future.isCancelled());
        assertEquals("CancelledError", end(forever));
    }

    @Test
    void whatACancelledTaskRaisesIsReported() throws Exception {
        PyObject forever = forever();
        CompletableFuture<PyObject> future = begun(forever, python.eval("KeyError('on the way out')"));
        future.cancel(true);
        assertEquals("CancelledError", end(forever));
        while (taskCount() > 0) {
            Thread.onSpinWait();
        }
        within(loop.submit(python.eval("gc.collect")));
        assertEquals("[\"'on the way out'\"]", python.eval("str(reports)", String.class));
    }

    @Test
    void theLoopsThreadDoesNotWaitForItself() throws Exception {
        // A stage that is added in time runs on the loop's thread.
        PyObject added = python.eval("threading.Event()");
        CompletableFuture<String> waiting = loop.submit(String.class, "__main__", "when", added, "x")
                .thenApply(x -> loop.submit(String.class, "__main__", "echo", x).join());
        // A further stage is the way; and a call from there is re-entrant.
        CompletableFuture<String> chained = loop.submit(String.class, "__main__", "when", added, "x")
                .thenCompose(x -> loop.submit(String.class, "__main__", "echo", x + python.eval("1 + 1", int.class)));
        added.callMethod("set").close();
        IllegalStateException e = assertInstanceOf(IllegalStateException.class, causeOf(waiting));
        assertTrue(e.getMessage().contains("the loop \"main\" would wait for ever"), e::getMessage);
        assertEquals("x2", within(chained));
    }

    @Test
    void virtualThreadsWait() throws Exception {
        List<Thread> threads = new ArrayList<>();
        AtomicInteger sum = new AtomicInteger();
        for (int i = 0; i < 200; i++) {
            int value = i;
            threads.add(Thread.ofVirtual()
                    .start(() ->
                            sum.addAndGet(loop.submit(int.class, "__main__", "echo", value, Keywords.of("after", 0.001))
                                    .join())));
        }
        for (Thread thread : threads) {
            assertTrue(thread.join(Duration.ofSeconds(60)));
        }
        assertEquals(199 * 200 / 2, sum.get());
    }

    @Test
    void eightThreadsHammerOneLoop() throws Exception {
        CountDownLatch together = new CountDownLatch(8);
        AtomicInteger failures = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            threads.add(Thread.ofPlatform().start(() -> {
                together.countDown();
                for (int i = 0; i < 500; i++) {
                    if (loop.submit(int.class, "__main__", "echo", i).join() != i) {
                        failures.incrementAndGet();
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            assertTrue(thread.join(Duration.ofMinutes(2)));
        }
        assertEquals(0, failures.get());
        assertEquals(0, taskCount());
    }

    @Test
    void tenThousandWithRandomCancelsAndDeadlinesLeaveNothing() throws Exception {
        Random random = new Random(1);
        List<CompletableFuture<Integer>> futures = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            CompletableFuture<Integer> future =
                    loop.submit(int.class, "__main__", "echo", i, Keywords.of("after", random.nextInt(4) * 0.002));
            futures.add(future);
            switch (random.nextInt(4)) {
                case 0 -> future.orTimeout(random.nextInt(4), TimeUnit.MILLISECONDS);
                case 1 -> futures.get(random.nextInt(futures.size())).cancel(true);
                default -> {}
            }
        }
        int done = 0;
        for (int i = 0; i < futures.size(); i++) {
            try {
                assertEquals(i, within(futures.get(i)));
                done++;
            } catch (CancellationException e) {
                assertTrue(futures.get(i).isCancelled());
            } catch (ExecutionException e) {
                assertInstanceOf(TimeoutException.class, e.getCause());
            }
        }
        assertTrue(done > 1000, "done: " + done);
        while (taskCount() > 0) {
            Thread.onSpinWait();
        }
        within(loop.submit(python.eval("gc.collect")));
        assertEquals(
                0,
                within(loop.submit(
                        int.class, python.eval("lambda: sum(type(o) is asyncio.Task for o in gc.get_objects())"))));
        assertEquals("[]", python.eval("str(reports)", String.class));
    }

    @Test
    void aLoopOfItsOwnIsClosed() throws Exception {
        PythonLoop other = python.startLoop("other");
        assertEquals(
                "jvloop loop other",
                within(other.submit(String.class, python.eval("lambda: threading.current_thread().name"))
                        .handle((name, e) -> name)));
        PyObject forever = forever();
        CompletableFuture<PyObject> future = other.submit(forever.attribute("run"));
        assertTrue(forever.attribute("began").callMethod("wait", 60).isTrue());
        other.close();
        assertFalse(other.isRunning());
        assertEquals("CancelledError", end(forever));
        assertThrows(CancellationException.class, () -> within(future));
        assertInstanceOf(RejectedExecutionException.class, causeOf(other.submit("__main__", "echo", 1)));
        assertTrue(other.asPyObject().callMethod("is_closed").isTrue());
        other.close();
    }

    @Test
    void aTaskThatIgnoresItsEndIsLeftBehind() throws Exception {
        python.exec("""
            async def stubborn(began):
                began.set()
                while True:
                    try:
                        await asyncio.sleep(3600)
                    except asyncio.CancelledError:
                        pass
            """);
        PythonLoop other = python.startLoop("stubborn");
        PyObject began = python.eval("threading.Event()");
        CompletableFuture<PyObject> future = other.submit("__main__", "stubborn", began);
        assertTrue(began.callMethod("wait", 60).isTrue());
        other.close(Duration.ofMillis(50));
        assertInstanceOf(RejectedExecutionException.class, causeOf(future));
    }

    @Test
    void aLoopThatIsKeptBusyIsInterrupted() throws Exception {
        python.exec("""
            def spin(began):
                began.set()
                while True:
                    pass
            """);
        PythonLoop other = python.startLoop("busy");
        PyObject began = python.eval("threading.Event()");
        CompletableFuture<PyObject> future = other.submit("__main__", "spin", began);
        assertTrue(began.callMethod("wait", 60).isTrue());
        other.close(Duration.ofMillis(50));
        PyException e = assertInstanceOf(PyException.class, causeOf(future));
        assertEquals("KeyboardInterrupt", e.pythonType());
    }

    @Test
    void anExceptionThatEndsALoopEndsWhatItRuns() throws Exception {
        PythonLoop other = python.startLoop("exiting");
        PyObject forever = forever();
        CompletableFuture<PyObject> future = other.submit(forever.attribute("run"));
        assertTrue(forever.attribute("began").callMethod("wait", 60).isTrue());
        within(other.submit(python.eval("lambda: asyncio.get_running_loop().call_soon(exit, 3)")));
        assertThrows(CancellationException.class, () -> within(future));
        other.close();
        assertFalse(other.isRunning());
    }

    @Test
    void collectedHandlesAreReleasedByTheLoop() throws Exception {
        python.exec("""
            import weakref
            class Thing: pass
            things = weakref.WeakSet()
            async def new_thing():
                thing = Thing()
                things.add(thing)
                return thing
            """);
        PyObject count = python.eval("lambda: len(things)");
        for (int i = 0; i < 100; i++) {
            within(loop.submit("__main__", "new_thing"));
        }
        // No call but by the loop: its thread alone gives references back.
        while (within(loop.submit(int.class, count)) > 0) {
            System.gc();
        }
    }

    @Test
    void interruptingWhoWaitsLeavesTheTask() throws Exception {
        PyObject forever = forever();
        CompletableFuture<PyObject> future = begun(forever);
        CompletableFuture<Class<?>> seen = new CompletableFuture<>();
        Thread waiting = Thread.ofVirtual().start(() -> {
            try {
                future.get();
            } catch (Exception e) {
                seen.complete(e.getClass());
            }
        });
        waiting.interrupt();
        assertEquals(InterruptedException.class, within(seen));
        assertFalse(future.isDone());
        future.cancel(true);
        end(forever);
    }

    @Test
    void joinWrapsAsFuturesDo() {
        CompletionException e = assertThrows(
                CompletionException.class,
                () -> loop.submit("__main__", "fail", "no").join());
        assertInstanceOf(PyException.class, e.getCause());
    }
}
