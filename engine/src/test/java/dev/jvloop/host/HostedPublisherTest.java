package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Asynchronous generators as publishers. */
class HostedPublisherTest {
    private static Python python;
    private static PythonLoop loop;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("""
            import asyncio, gc, threading

            async def count(n, *, pause=False):
                for i in range(n):
                    if pause:
                        await asyncio.sleep(0)
                    yield i

            async def fail(n):
                async for i in count(n):
                    yield i
                raise ValueError("after all")

            class Traced:
                '''A generator for ever, and how far it has got.'''
                def __init__(self):
                    self.begun = 0
                    self.ended = threading.Event()
                    self.how = None

                async def run(self, wait_at=None):
                    try:
                        while True:
                            self.begun += 1
                            if self.begun == wait_at:
                                await asyncio.get_running_loop().create_future()
                            yield self.begun
                    except BaseException as e:
                        self.how = type(e).__name__
                        raise
                    finally:
                        await asyncio.sleep(0)
                        self.ended.set()
            """);
        loop = python.loop();
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close(Duration.ofSeconds(20));
        }
    }

    private static <T> Probe<T> subscribed(Flow.Publisher<T> publisher, long first) throws Exception {
        Probe<T> probe = new Probe<>(first);
        publisher.subscribe(probe);
        return probe;
    }

    private static PyObject traced() {
        return python.eval("Traced()");
    }

    private static int begun(PyObject traced) throws Exception {
        // On the loop, so after what it has been asked for before.
        PyObject question = python.eval("lambda traced: traced.begun");
        return loop.submit(int.class, question, traced).get(60, TimeUnit.SECONDS);
    }

    private static void awaitBegun(PyObject traced, int count) throws Exception {
        while (begun(traced) < count) {
            Thread.onSpinWait();
        }
    }

    /** How the generator ended; waits for it. */
    private static String end(PyObject traced) {
        assertTrue(traced.attribute("ended").callMethod("wait", 60).isTrue());
        return traced.attribute("how").as(String.class);
    }

    private static int taskCount() throws Exception {
        return loop.submit(int.class, python.eval("lambda: len(asyncio.all_tasks())"))
                .get(60, TimeUnit.SECONDS);
    }

    @Test
    void elementsComeInOrderAndThenTheEnd() throws Exception {
        Probe<Integer> probe = subscribed(loop.publish(Integer.class, "__main__", "count", 5), Long.MAX_VALUE);
        assertNull(probe.end());
        assertEquals(IntStream.range(0, 5).boxed().toList(), probe.elements());
        probe = subscribed(loop.publish(Integer.class, "__main__", "count", 0), 1);
        assertNull(probe.end());
    }

    @Test
    void aFunctionIsCalledForEverySubscription() throws Exception {
        Flow.Publisher<Integer> publisher = loop.publish(Integer.class, python.eval("count"), 3);
        for (int i = 0; i < 2; i++) {
            Probe<Integer> probe = subscribed(publisher, 10);
            assertNull(probe.end());
            assertEquals(3, probe.elements().size());
        }
    }

    @Test
    void anObjectHasOneSubscriber() throws Exception {
        Flow.Publisher<Integer> publisher = loop.publish(Integer.class, python.eval("count(3)"));
        Probe<Integer> first = subscribed(publisher, 10);
        assertNull(first.end());
        assertEquals(3, first.elements().size());
        assertInstanceOf(IllegalStateException.class, subscribed(publisher, 10).end());
    }

    @Test
    void aGeneratorDoesNotRunAheadOfDemand() throws Exception {
        PyObject traced = traced();
        Probe<Integer> probe = subscribed(loop.publish(Integer.class, traced.attribute("run")), 0);
        assertEquals(0, begun(traced));
        for (int demanded = 3; demanded <= 12; demanded += 3) {
            probe.request(3);
            probe.await(demanded);
            assertEquals(demanded, begun(traced));
        }
        probe.cancel();
        assertEquals("GeneratorExit", end(traced));
    }

    @Test
    void cancellingEndsAGeneratorThatWaits() throws Exception {
        PyObject traced = traced();
        Probe<Integer> probe = subscribed(loop.publish(Integer.class, traced.attribute("run"), 4), Long.MAX_VALUE);
        probe.await(3);
        awaitBegun(traced, 4);
        probe.cancel();
        assertEquals("CancelledError", end(traced));
        while (taskCount() > 0) {
            Thread.onSpinWait();
        }
        assertEquals(3, probe.elements().size());
        assertTrue(!probe.hasEnded());
    }

    @Test
    void aGeneratorThatGoesOnAfterItsCancellationIsClosed() throws Exception {
        python.exec("""
            closed = threading.Event()

            async def stubborn():
                try:
                    yield 1
                    try:
                        await asyncio.get_running_loop().create_future()
                    except asyncio.CancelledError:
                        pass
                    yield 2
                finally:
                    closed.set()
            """);
        Probe<Integer> probe = subscribed(loop.publish(Integer.class, "__main__", "stubborn"), Long.MAX_VALUE);
        probe.await(1);
        probe.cancel();
        assertTrue(python.eval("closed").callMethod("wait", 60).isTrue());
        assertEquals(1, probe.elements().size());
    }

    @Test
    void whatIsCancelledBeforeItIsDemandedNeverBegins() throws Exception {
        PyObject traced = traced();
        Probe<Integer> probe = subscribed(loop.publish(Integer.class, traced.attribute("run")), 0);
        probe.cancel();
        probe.request(1);
        while (taskCount() > 0) {
            Thread.onSpinWait();
        }
        assertEquals(0, begun(traced));
    }

    @Test
    void aHundredThousandElements() throws Exception {
        Probe<Integer> all = subscribed(loop.publish(Integer.class, "__main__", "count", 100_000), Long.MAX_VALUE);
        assertNull(all.end());
        assertEquals(IntStream.range(0, 100_000).boxed().toList(), all.elements());
        // Each one asked for when the one before has come.
        Probe<Integer> single = new Probe<>(1) {
            @Override
            public void onNext(Integer element) {
                super.onNext(element);
                request(1);
            }
        };
        loop.publish(Integer.class, "__main__", "count", 20_000).subscribe(single);
        assertNull(single.end());
        assertEquals(20_000, single.elements().size());
    }

    @Test
    void errorsArePythonsOrTheValues() throws Exception {
        Probe<Integer> probe = subscribed(loop.publish(Integer.class, "__main__", "fail", 2), 10);
        PyException e = assertInstanceOf(PyException.class, probe.end());
        assertEquals("ValueError: after all", e.getMessage());
        assertEquals(2, probe.elements().size());
        e = assertInstanceOf(
                PyException.class,
                subscribed(loop.publish(Integer.class, "no_such_module", "f"), 0)
                        .end());
        assertEquals("ModuleNotFoundError", e.pythonType());
        e = assertInstanceOf(
                PyException.class,
                subscribed(loop.publish(Integer.class, python.eval("[1, 2]")), 0)
                        .end());
        assertEquals("TypeError", e.pythonType());
        python.exec("""
            async def mixed(*values):
                for value in values:
                    yield value
            """);
        Probe<Integer> wrong = subscribed(loop.publish(Integer.class, "__main__", "mixed", 1, "x", 2), 10);
        assertInstanceOf(ClassCastException.class, wrong.end());
        assertEquals(1, wrong.elements().size());
        assertInstanceOf(
                NullPointerException.class,
                subscribed(loop.publish(String.class, "__main__", "mixed", "x", null), 10)
                        .end());
        Probe<PyObject> handles = subscribed(loop.publish(PyObject.class, "__main__", "mixed", "x", null), 10);
        assertNull(handles.end());
        assertTrue(handles.elements().get(1).isNone());
    }

    @Test
    void aDemandForNothingIsAnError() throws Exception {
        PyObject traced = traced();
        Probe<Integer> probe = subscribed(loop.publish(Integer.class, traced.attribute("run")), 1);
        probe.await(1);
        probe.request(0);
        assertInstanceOf(IllegalArgumentException.class, probe.end());
        assertEquals("GeneratorExit", end(traced));
        assertThrows(
                NullPointerException.class,
                () -> loop.publish(Integer.class, "__main__", "count", 1).subscribe(null));
    }

    @Test
    void signalsComeOnTheExecutorThatIsAskedFor() throws Exception {
        AtomicReference<Thread> seen = new AtomicReference<>();
        try (ExecutorService executor = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().name("mine").factory())) {
            Probe<Integer> probe = new Probe<>(10) {
                @Override
                public void onNext(Integer element) {
                    seen.set(Thread.currentThread());
                    super.onNext(element);
                }
            };
            loop.publish(Integer.class, "__main__", "count", 5).on(executor).subscribe(probe);
            assertNull(probe.end());
            assertEquals("mine", seen.get().getName());
            executor.shutdown();
            Probe<Integer> late = subscribed(
                    loop.publish(Integer.class, "__main__", "count", 5).on(executor), 1);
            assertInstanceOf(RejectedExecutionException.class, late.end());
        }
        // In the calling thread: each element on the loop's, which has no GIL meanwhile.
        Probe<Integer> probe = new Probe<>(1) {
            @Override
            public void onNext(Integer element) {
                super.onNext(python.eval("1 + 1", int.class) + element);
                request(1);
            }
        };
        loop.publish(Integer.class, "__main__", "count", 1000).on(Runnable::run).subscribe(probe);
        assertNull(probe.end());
        assertEquals(IntStream.range(2, 1002).boxed().toList(), probe.elements());
    }

    @Test
    void aSubscriberThatBlocksKeepsNobodyElseWaiting() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        Probe<Integer> blocking = new Probe<>(100) {
            @Override
            public void onNext(Integer element) {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                super.onNext(element);
            }
        };
        loop.publish(Integer.class, "__main__", "count", 10).subscribe(blocking);
        assertNull(subscribed(loop.publish(Integer.class, "__main__", "count", 10), 100)
                .end());
        assertEquals(0, blocking.elements().size());
        go.countDown();
        assertNull(blocking.end());
    }

    @Test
    void aSubscriberThatThrowsIsUnsubscribed() throws Exception {
        PyObject traced = traced();
        CompletableFuture<Throwable> uncaught = new CompletableFuture<>();
        Probe<Integer> probe = new Probe<>(10) {
            @Override
            public void onNext(Integer element) {
                throw new IllegalStateException("not for me");
            }
        };
        loop.publish(Integer.class, traced.attribute("run"))
                .on(task -> Thread.ofPlatform()
                        .uncaughtExceptionHandler((thread, e) -> uncaught.complete(e))
                        .start(task))
                .subscribe(probe);
        assertEquals("not for me", uncaught.get(60, TimeUnit.SECONDS).getMessage());
        end(traced);
        assertTrue(!probe.hasEnded());
    }

    @Test
    void aLoopThatEndsEndsItsSubscriptions() throws Exception {
        PythonLoop other = python.startLoop("other");
        PyObject waiting = traced();
        PyObject idle = traced();
        Probe<Integer> inTheMiddle = subscribed(other.publish(Integer.class, waiting.attribute("run"), 2), 10);
        Probe<Integer> withoutDemand = subscribed(other.publish(Integer.class, idle.attribute("run")), 1);
        awaitBegun(waiting, 2);
        withoutDemand.await(1);
        other.close();
        assertEquals("CancelledError", end(waiting));
        assertEquals("GeneratorExit", end(idle));
        assertInstanceOf(CancellationException.class, inTheMiddle.end());
        assertInstanceOf(CancellationException.class, withoutDemand.end());
        assertInstanceOf(
                RejectedExecutionException.class,
                subscribed(other.publish(Integer.class, "__main__", "count", 1), 1)
                        .end());
    }

    @Test
    void cancelsInTheMiddleLeaveNothing() throws Exception {
        AtomicInteger delivered = new AtomicInteger();
        for (int i = 0; i < 200; i++) {
            int limit = i % 7 + 1;
            PyObject traced = traced();
            Probe<Integer> probe = new Probe<>(Long.MAX_VALUE) {
                @Override
                public void onNext(Integer element) {
                    super.onNext(element);
                    delivered.incrementAndGet();
                    if (element == limit) {
                        cancel();
                    }
                }
            };
            loop.publish(Integer.class, traced.attribute("run")).subscribe(probe);
            end(traced);
            assertEquals(limit, probe.elements().size());
        }
        assertEquals(IntStream.range(0, 200).map(i -> i % 7 + 1).sum(), delivered.get());
        while (taskCount() > 0) {
            Thread.onSpinWait();
        }
        loop.submit(python.eval("gc.collect")).get(60, TimeUnit.SECONDS);
        PyObject leftovers = python.eval("lambda: [o for o in gc.get_objects() if type(o) is asyncio.Task]");
        assertEquals(0, loop.submit(leftovers).get(60, TimeUnit.SECONDS).length());
    }
}
