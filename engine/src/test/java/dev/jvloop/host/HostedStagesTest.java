package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Java's stages, and functions on virtual threads, that Python awaits. */
class HostedStagesTest {
    private static Python python;
    private static PythonLoop loop;
    /** What the functions below return. */
    private static final AtomicReference<CompletionStage<?>> STAGE = new AtomicReference<>();

    private CompletableFuture<Object> stage;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        loop = python.loop();
        python.functions().register("stage", arguments -> STAGE.get());
        python.functions().register("stages", arguments -> List.of(STAGE.get()));
        python.exec("""
                import asyncio, threading
                from jvloop import host
                from jvloop.host import stage, stages, JavaError, JavaStage, wrap

                async def fetch(began=None):
                    future = stage()
                    assert isinstance(future, asyncio.Future), future
                    if began is not None:
                        began.set()
                    return await future

                async def awaited(given):
                    return await given

                async def wrapped(given):
                    return await wrap(given)
                """);
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
        }
    }

    @BeforeEach
    void newStage() {
        stage = new CompletableFuture<>();
        STAGE.set(stage);
    }

    private static <T> T within(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static Throwable causeOf(CompletableFuture<?> future) {
        return assertThrows(ExecutionException.class, () -> within(future)).getCause();
    }

    private CompletableFuture<Object> begun() {
        PyObject event = python.eval("threading.Event()");
        CompletableFuture<Object> result = loop.submit(Object.class, "__main__", "fetch", event);
        assertTrue(event.callMethod("wait", 60).isTrue());
        return result;
    }

    @Test
    void aStageIsAFutureOfTheRunningLoop() throws Exception {
        CompletableFuture<Object> result = begun();
        assertFalse(result.isDone());
        stage.complete(List.of(1, "x"));
        assertEquals(List.of(1L, "x"), within(result));
        // One that is complete already.
        assertEquals(List.of(1L, "x"), within(loop.submit(Object.class, "__main__", "fetch")));
        STAGE.set(CompletableFuture.completedStage(5));
        assertEquals(5L, within(loop.submit(Object.class, "__main__", "fetch")));
    }

    @Test
    void itIsCompletedByAnyThread() throws Exception {
        CompletableFuture<Object> result = begun();
        Thread.ofVirtual().start(() -> stage.complete("virtual"));
        assertEquals("virtual", within(result));
        newStage();
        result = begun();
        // A thread that is in Python, and has the GIL.
        python.functions().register("complete", arguments -> stage.complete(arguments[0]));
        python.exec("host.complete('python')");
        assertEquals("python", within(result));
        newStage();
        CompletableFuture<Object> onLoop = begun();
        within(loop.submit(Object.class, python.eval("lambda: host.complete('loop')")));
        assertEquals("loop", within(onLoop));
    }

    @Test
    void itsFailureIsRaised() throws Exception {
        CompletableFuture<Object> result = begun();
        RuntimeException failure = new IllegalStateException("broken");
        stage.completeExceptionally(failure);
        assertSame(failure, causeOf(result));
        newStage();
        CompletableFuture<Object> checked = begun();
        IOException io = new IOException("disk");
        stage.completeExceptionally(io);
        assertSame(io, causeOf(checked));
        // Behind a stage of its own, Java wraps it: what counts is the cause.
        newStage();
        STAGE.set(stage.thenApply(value -> value));
        stage.completeExceptionally(failure);
        assertSame(failure, causeOf(loop.submit(Object.class, "__main__", "fetch")));
        PyException original = assertThrows(PyException.class, () -> python.exec("raise KeyError('k')"));
        STAGE.set(CompletableFuture.failedFuture(original));
        PyException again =
                assertInstanceOf(PyException.class, causeOf(loop.submit(Object.class, "__main__", "fetch")));
        assertEquals("KeyError", again.pythonType());
    }

    @Test
    void whatAFutureCannotHoldIsAnError() throws Exception {
        STAGE.set(CompletableFuture.completedFuture(new Thread()));
        assertInstanceOf(IllegalArgumentException.class, causeOf(loop.submit(Object.class, "__main__", "fetch")));
        PyException stop = assertThrows(PyException.class, () -> python.exec("raise StopIteration"));
        STAGE.set(CompletableFuture.failedFuture(stop));
        PyException e = assertInstanceOf(PyException.class, causeOf(loop.submit(Object.class, "__main__", "fetch")));
        assertTrue(List.of("TypeError", "RuntimeError").contains(e.pythonType()), e::pythonType);
    }

    @Test
    void cancellingTheTaskCancelsTheStage() throws Exception {
        CompletableFuture<Object> result = begun();
        assertTrue(result.cancel(true));
        assertThrows(CancellationException.class, () -> within(stage));
        newStage();
        python.exec("""
                async def impatient():
                    try:
                        await asyncio.wait_for(stage(), 0.001)
                    except asyncio.TimeoutError:
                        return "too late"
                """);
        assertEquals("too late", within(loop.submit(String.class, "__main__", "impatient")));
        assertThrows(CancellationException.class, () -> within(stage));
    }

    @Test
    void aCancelledStageIsACancelledError() throws Exception {
        python.exec("""
                async def notice():
                    try:
                        await stage()
                    except asyncio.CancelledError:
                        return asyncio.current_task().cancelling()
                """);
        CompletableFuture<Integer> noticed = loop.submit(int.class, "__main__", "notice");
        stage.cancel(true);
        assertEquals(0, within(noticed));
        newStage();
        CompletableFuture<Object> result = begun();
        stage.cancel(true);
        assertThrows(CancellationException.class, () -> within(result));
    }

    @Test
    void stagesAreHandedOverAndAwaitedLater() throws Exception {
        try (PyObject given = python.toPython(stage)) {
            assertSame(stage, given.as(Object.class));
            assertTrue(given.repr().startsWith("<java object of java.util.concurrent.CompletableFuture"), given::repr);
            CompletableFuture<String> first = loop.submit(String.class, "__main__", "wrapped", given);
            CompletableFuture<String> second = loop.submit(String.class, "__main__", "awaited", given);
            stage.complete("both");
            assertEquals("both", within(first));
            assertEquals("both", within(second));
        }
        assertEquals("both", within(loop.submit(String.class, "__main__", "wrapped", stage)));
        // In a container, and where no loop runs.
        python.exec("[held] = stages()\nassert isinstance(held, JavaStage)\nassert isinstance(stage(), JavaStage)");
        assertEquals("both", within(loop.submit(String.class, "__main__", "awaited", python.eval("held"))));
    }

    @Test
    void wrapSaysWhatItNeeds() {
        PyException wrong = assertThrows(PyException.class, () -> python.eval("wrap(5)"));
        assertEquals("TypeError: a CompletionStage from Java is needed, not a int", wrong.getMessage());
        PyException outside = assertThrows(PyException.class, () -> python.eval("wrap(stage())"));
        assertEquals("RuntimeError: no running event loop", outside.getMessage());
    }

    @Test
    void asynciosOwnLoopAwaitsThemToo() throws Exception {
        python.exec("""
                def on_asyncio():
                    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                        return runner.run(fetch())
                """);
        CompletableFuture<String> result = new CompletableFuture<>();
        Thread.ofPlatform()
                .start(() ->
                        result.complete(python.call("__main__", "on_asyncio").as(String.class)));
        Thread.ofVirtual().start(() -> stage.complete("asyncio"));
        assertEquals("asyncio", within(result));
    }

    @Test
    void aPythonThreadWithASmallStackAwaitsThemToo() throws Exception {
        python.exec("""
                def start_small():
                    former = threading.stack_size(1 << 20)
                    try:
                        results = []
                        run = lambda: results.append(asyncio.run(fetch()))
                        thread = threading.Thread(target=run, daemon=True)
                        thread.start()
                    finally:
                        threading.stack_size(former)
                    return lambda: thread.join(60) or results
                """);
        PyObject results = python.call("__main__", "start_small");
        stage.complete("small");
        assertEquals(List.of("small"), results.call().as(Object.class));
    }

    @Test
    void aLoopThatHasEndedMissesNothing() throws Exception {
        PythonLoop other = python.startLoop("short");
        CompletableFuture<Object> result = other.submit(Object.class, "__main__", "fetch");
        other.submit(Object.class, "asyncio", "sleep", 0).join();
        other.close();
        assertThrows(Exception.class, () -> within(result));
        assertThrows(CancellationException.class, () -> within(stage));
        stage.complete("too late");
        assertEquals(1, python.eval("1", int.class));
    }

    @Test
    void manyStagesAtOnce() throws Exception {
        python.functions().register("later", arguments -> {
            CompletionStage<Long> doubled = CompletableFuture.supplyAsync(() -> (Long) arguments[0] * 2);
            return doubled;
        });
        python.exec("async def many(n):\n    return sum(await asyncio.gather(*map(host.later, range(n))))");
        assertEquals(3998000, within(loop.submit(int.class, "__main__", "many", 2000)));
    }

    // ---- functions on virtual threads

    @Test
    void aBlockingFunctionRunsOnAVirtualThread() throws Exception {
        CountDownLatch bothRun = new CountDownLatch(2);
        python.functions().registerBlocking("query", arguments -> {
            bothRun.countDown();
            assertTrue(bothRun.await(60, TimeUnit.SECONDS));
            return arguments[0] + " " + Thread.currentThread().isVirtual() + " "
                    + Thread.currentThread().getName();
        });
        python.exec("async def both():\n    return await asyncio.gather(host.query('a'), host.query('b'))");
        assertEquals(
                List.of("a true jvloop function query", "b true jvloop function query"),
                within(loop.submit(Object.class, "__main__", "both")));
    }

    @Test
    void aBlockingFunctionMayCallPythonAndWaitForTheLoop() throws Exception {
        python.exec("async def double(x):\n    return 2 * x");
        python.functions()
                .registerBlocking(
                        "roundabout",
                        arguments -> loop.submit(int.class, "__main__", "double", arguments[0])
                                        .join()
                                + python.call("builtins", "int", "1").as(int.class));
        python.exec("async def around():\n    return await host.roundabout(20)");
        assertEquals(41, within(loop.submit(int.class, "__main__", "around")));
    }

    @Test
    void cancellingABlockingFunctionInterruptsIt() throws Exception {
        CountDownLatch began = new CountDownLatch(1);
        CompletableFuture<String> ended = new CompletableFuture<>();
        python.functions().registerBlocking("sleepy", arguments -> {
            began.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                ended.complete("interrupted");
                throw e;
            }
            return null;
        });
        python.exec("async def sleep():\n    await host.sleepy()");
        CompletableFuture<Object> result = loop.submit(Object.class, "__main__", "sleep");
        assertTrue(began.await(60, TimeUnit.SECONDS));
        result.cancel(true);
        assertEquals("interrupted", within(ended));
    }

    @Test
    void whatABlockingFunctionThrowsIsRaised() {
        RuntimeException failure = new IllegalStateException("broken");
        python.functions().registerBlocking("breaking", arguments -> {
            throw failure;
        });
        python.exec("async def breaks():\n    await host.breaking()");
        assertSame(failure, causeOf(loop.submit(Object.class, "__main__", "breaks")));
    }

    @Test
    void aBlockingFunctionNeedsARunningLoop() {
        python.functions().registerBlocking("needy", arguments -> null);
        PyException e = assertThrows(PyException.class, () -> python.eval("host.needy()"));
        assertEquals(
                "RuntimeError: needy() returns a future of the running event loop, and there is none here",
                e.getMessage());
    }
}
