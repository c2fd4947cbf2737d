package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.PyException;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Publishers as asynchronous iterables. */
class HostedSubscriberTest {
    private static Python python;
    private static PythonLoop loop;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("""
            import asyncio, contextlib, threading

            async def collect(publisher):
                return [element async for element in publisher]

            async def first(publisher, n, prefetch):
                found = []
                async with contextlib.aclosing(publisher.elements(prefetch)) as elements:
                    async for element in elements:
                        found.append(element)
                        await asyncio.sleep(0)
                        if len(found) == n:
                            break
                return found

            async def first_by_break(publisher, n):
                async for element in publisher:
                    n -= 1
                    if not n:
                        break

            async def until_error(publisher):
                found = []
                try:
                    async for element in publisher:
                        found.append(element)
                except Exception as e:
                    return [*found, f"{type(e).__name__}: {e}"]
            """);
        loop = python.loop();
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close(Duration.ofSeconds(20));
        }
    }

    /** Sends numbers as they are asked for, in the thread that asks; and looks how many are asked for and not used. */
    private static final class Numbers implements Flow.Publisher<Object> {
        final long count;
        final AtomicLong demanded = new AtomicLong();
        final AtomicInteger subscriptions = new AtomicInteger();
        final CompletableFuture<Void> cancelled = new CompletableFuture<>();

        Numbers(long count) {
            this.count = count;
        }

        @Override
        public void subscribe(Flow.Subscriber<? super Object> subscriber) {
            subscriptions.incrementAndGet();
            subscriber.onSubscribe(new Flow.Subscription() {
                private long next;

                @Override
                public void request(long n) {
                    demanded.addAndGet(n);
                    for (long i = 0; i < n && next < count; i++) {
                        subscriber.onNext(next++);
                        if (next == count) {
                            subscriber.onComplete();
                        }
                    }
                }

                @Override
                public void cancel() {
                    cancelled.complete(null);
                }
            });
        }
    }

    private static <T> T within(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static Throwable causeOf(CompletableFuture<?> future) {
        return assertThrows(ExecutionException.class, () -> within(future)).getCause();
    }

    private static List<Long> range(int end) {
        return IntStream.range(0, end).mapToObj(Long::valueOf).toList();
    }

    @Test
    void elementsComeInOrderAndThenTheEnd() throws Exception {
        for (int count : new int[] {1, 63, 64, 65, 128, 1000}) {
            assertEquals(range(count), within(loop.submit(List.class, "__main__", "collect", new Numbers(count))));
        }
    }

    @Test
    void aHundredThousandFromAnotherThread() throws Exception {
        SubmissionPublisher<Long> publisher = new SubmissionPublisher<>();
        CompletableFuture<?> result = loop.submit(List.class, "__main__", "collect", publisher);
        while (!publisher.hasSubscribers()) {
            Thread.onSpinWait();
        }
        for (long i = 0; i < 100_000; i++) {
            publisher.submit(i);
        }
        publisher.close();
        assertEquals(range(100_000), within(result));
    }

    @Test
    void noMoreIsAskedForThanTheBound() throws Exception {
        for (int prefetch : new int[] {1, 2, 5, 16}) {
            for (int taken : new int[] {1, 7, 40}) {
                Numbers numbers = new Numbers(Long.MAX_VALUE);
                List<?> found = within(loop.submit(List.class, "__main__", "first", numbers, taken, prefetch));
                assertEquals(range(taken), found);
                within(numbers.cancelled);
                // The last one is in the hands of the loop's body: it is not used up.
                long most = taken - 1L + prefetch;
                assertTrue(numbers.demanded.get() <= most, () -> numbers.demanded + " of " + most);
                assertTrue(numbers.demanded.get() >= taken, numbers.demanded::toString);
            }
        }
    }

    @Test
    void leavingTheIterationCancels() throws Exception {
        Numbers numbers = new Numbers(Long.MAX_VALUE);
        within(loop.submit("__main__", "first_by_break", numbers, 3));
        within(numbers.cancelled);
    }

    @Test
    void cancellingWhoWaitsCancels() throws Exception {
        Numbers silent = new Numbers(0);
        CompletableFuture<?> waiting = loop.submit(List.class, "__main__", "collect", silent);
        while (silent.demanded.get() == 0) {
            Thread.onSpinWait();
        }
        waiting.cancel(true);
        within(silent.cancelled);
    }

    @Test
    void eachIterationIsASubscription() throws Exception {
        Numbers numbers = new Numbers(2);
        python.exec("""
            async def twice(publisher):
                return await collect(publisher) + await collect(publisher)
            """);
        assertEquals(List.of(0L, 1L, 0L, 1L), within(loop.submit(List.class, "__main__", "twice", numbers)));
        assertEquals(2, numbers.subscriptions.get());
    }

    @Test
    void errorsAreRaised() throws Exception {
        List<?> seen =
                within(loop.submit(List.class, "__main__", "until_error", failing(new IllegalStateException("no"))));
        assertEquals(1L, seen.get(0));
        assertTrue(seen.get(1).toString().contains("java.lang.IllegalStateException: no"), seen::toString);
        PyException original = assertThrows(PyException.class, () -> python.eval("{}['key']"));
        assertEquals(
                List.of(1L, "KeyError: 'key'"),
                within(loop.submit(List.class, "__main__", "until_error", failing(original))));
    }

    private static Flow.Publisher<Object> failing(Throwable error) {
        return subscriber -> subscriber.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long n) {
                subscriber.onNext(1);
                subscriber.onError(error);
            }

            @Override
            public void cancel() {
                throw new AssertionError("cancelled after its end");
            }
        });
    }

    @Test
    void anElementWithoutCounterpartEndsTheIteration() throws Exception {
        CompletableFuture<Void> cancelled = new CompletableFuture<>();
        Flow.Publisher<Object> publisher = subscriber -> subscriber.onSubscribe(new Flow.Subscription() {
            @Override
            public void request(long n) {
                subscriber.onNext("fits");
                subscriber.onNext(new AtomicInteger());
                subscriber.onNext("too late");
            }

            @Override
            public void cancel() {
                cancelled.complete(null);
            }
        });
        List<?> seen = within(loop.submit(List.class, "__main__", "until_error", publisher));
        assertEquals("fits", seen.get(0));
        assertTrue(
                seen.get(1).toString().startsWith("TypeError: a java.util.concurrent.atomic.AtomicInteger"),
                seen::toString);
        within(cancelled);
    }

    @Test
    void anotherLoopIsRefused() {
        PyException e = assertThrows(
                PyException.class,
                () -> python.eval("lambda publisher: asyncio.run(collect(publisher))")
                        .call(new Numbers(1)));
        assertEquals("RuntimeError", e.pythonType());
        assertTrue(e.pythonMessage().contains("needs a loop of jvloop's"), e::pythonMessage);
        assertInstanceOf(
                PyException.class, causeOf(loop.submit(List.class, "__main__", "first", new Numbers(1), 1, 0)));
    }

    @Test
    void publishersGoThroughBothWays() throws Exception {
        python.exec("""
            async def doubled(publisher):
                async for element in publisher:
                    yield 2 * element
            """);
        Probe<Long> probe = new Probe<>(Long.MAX_VALUE);
        Flow.Publisher<Long> thrice = loop.publish(
                Long.class, "__main__", "doubled", loop.publish(Long.class, "__main__", "doubled", new Numbers(500)));
        thrice.subscribe(probe);
        assertEquals(null, probe.end());
        assertEquals(IntStream.range(0, 500).mapToObj(i -> 4L * i).toList(), probe.elements());
    }

    @Test
    void aLoopThatEndsCancels() throws Exception {
        PythonLoop other = python.startLoop("other");
        Numbers silent = new Numbers(0);
        CompletableFuture<?> waiting = other.submit(List.class, "__main__", "collect", silent);
        while (silent.demanded.get() == 0) {
            Thread.onSpinWait();
        }
        other.close();
        within(silent.cancelled);
        assertTrue(waiting.isDone());
    }
}
