package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonChannel;
import dev.jvloop.PythonLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Channels between Java's threads and coroutines. */
class HostedChannelTest {
    private static Python python;
    private static PythonLoop loop;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("""
            import asyncio

            async def send_all(channel, first, last):
                for element in range(first, last):
                    await channel.send(element)

            async def receive_all(channel):
                return [element async for element in channel]

            async def receive(channel):
                return await channel.receive()

            async def send(channel, element):
                await channel.send(element)
            """);
        loop = python.loop();
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close(Duration.ofSeconds(20));
        }
    }

    private static <T> T within(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static Throwable causeOf(CompletableFuture<?> future) {
        return assertThrows(ExecutionException.class, () -> within(future)).getCause();
    }

    /** Waits until the coroutines that were submitted wait for something themselves. */
    private static void settle() throws Exception {
        within(loop.submit(python.eval("asyncio.sleep"), 0));
        within(loop.submit(python.eval("asyncio.sleep"), 0));
    }

    @Test
    void aHundredThousandFromJavaToPython() throws Exception {
        PythonChannel<Integer> channel = python.channel(Integer.class, 64);
        CompletableFuture<?> received = loop.submit(List.class, "__main__", "receive_all", channel);
        Thread.ofVirtual().start(() -> {
            try {
                for (int i = 0; i < 100_000; i++) {
                    channel.send(i);
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            channel.close();
        });
        assertEquals(IntStream.range(0, 100_000).mapToObj(Long::valueOf).toList(), within(received));
    }

    @Test
    void aHundredThousandFromPythonToJava() throws Exception {
        PythonChannel<Integer> channel = python.channel(Integer.class, 64);
        CompletableFuture<?> sent = loop.submit("__main__", "send_all", channel, 0, 100_000);
        for (int i = 0; i < 100_000; i++) {
            assertEquals(i, channel.receive());
        }
        within(sent);
    }

    @Test
    void senderWaitsForRoom() throws Exception {
        PythonChannel<String> channel = python.channel(String.class, 2);
        assertTrue(channel.trySend("a"));
        channel.send("b");
        assertFalse(channel.trySend("c"));
        assertThrows(TimeoutException.class, () -> channel.send("c", Duration.ofMillis(5)));
        CompletableFuture<?> sent = loop.submit("__main__", "send", channel, "c");
        settle();
        assertFalse(sent.isDone());
        assertEquals("a", channel.receive());
        within(sent);
        assertEquals("b", channel.receive());
        assertEquals("c", channel.receive());
        assertThrows(TimeoutException.class, () -> channel.receive(Duration.ofMillis(5)));
    }

    @Test
    void nullIsNone() throws Exception {
        PythonChannel<String> channel = python.channel(String.class, 2);
        channel.send(null);
        assertNull(within(loop.submit(String.class, "__main__", "receive", channel)));
        within(loop.submit("__main__", "send", channel, null));
        assertNull(channel.receive());
    }

    @Test
    void closingWakesAll() throws Exception {
        PythonChannel<Integer> empty = python.channel(Integer.class, 1);
        PythonChannel<Integer> full = python.channel(Integer.class, 1);
        full.send(0);
        List<CompletableFuture<?>> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(loop.submit("__main__", "receive", empty));
            waiting.add(loop.submit("__main__", "send", full, 1));
            for (boolean receives : new boolean[] {true, false}) {
                CompletableFuture<Object> done = new CompletableFuture<>();
                waiting.add(done);
                Thread.ofVirtual().start(() -> {
                    try {
                        if (receives) {
                            empty.receive();
                        } else {
                            full.send(1);
                        }
                        done.complete(null);
                    } catch (Exception e) {
                        done.completeExceptionally(e);
                    }
                });
            }
        }
        settle();
        empty.close();
        full.close();
        for (CompletableFuture<?> future : waiting) {
            Throwable e = causeOf(future);
            assertTrue(
                    e instanceof PythonChannel.ClosedException
                            || (e instanceof PyException p && p.pythonType().endsWith("ChannelClosedError")),
                    e::toString);
        }
        assertTrue(full.isClosed());
        assertEquals(0, full.receive());
        assertThrows(PythonChannel.ClosedException.class, full::receive);
        assertThrows(PythonChannel.ClosedException.class, () -> full.trySend(1));
    }

    @Test
    void whoStopsWaitingLosesNothing() throws Exception {
        PythonChannel<Integer> channel = python.channel(Integer.class, 2_000);
        PyObject cancelAll = python.eval("lambda: [task.cancel() for task in asyncio.all_tasks()]");
        Random random = new Random(1);
        Set<Object> seen = new HashSet<>();
        List<CompletableFuture<Integer>> receivers = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            CompletableFuture<Integer> receiver = loop.submit(Integer.class, "__main__", "receive", channel);
            receivers.add(receiver);
            channel.send(i);
            if (random.nextInt(3) == 0) {
                // In Python, where it may hit one that was woken and has not run yet.
                within(loop.submit(cancelAll));
            }
        }
        channel.close();
        for (CompletableFuture<Integer> receiver : receivers) {
            try {
                assertTrue(seen.add(within(receiver)));
            } catch (ExecutionException | CancellationException e) {
                // Cancelled, or there was nothing for it.
                assertTrue(receiver.isCompletedExceptionally());
            }
        }
        while (true) {
            try {
                assertTrue(seen.add(channel.receive()));
            } catch (PythonChannel.ClosedException e) {
                break;
            }
        }
        assertEquals(2_000, seen.size());
    }

    @Test
    void interruptingEndsAWait() throws Exception {
        PythonChannel<Integer> channel = python.channel(Integer.class, 1);
        CompletableFuture<Throwable> seen = new CompletableFuture<>();
        Thread thread = Thread.ofVirtual().start(() -> {
            try {
                channel.receive();
            } catch (InterruptedException e) {
                seen.complete(e);
            }
        });
        thread.interrupt();
        within(seen);
        channel.send(1);
        assertEquals(1, channel.receive());
    }

    @Test
    void eightThreadsAndEightCoroutinesLoseAndDoubleNothing() throws Exception {
        PythonChannel<Integer> channel = python.channel(Integer.class, 3);
        ConcurrentLinkedQueue<Object> received = new ConcurrentLinkedQueue<>();
        List<Thread> senders = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        List<CompletableFuture<?>> sending = new ArrayList<>();
        List<CompletableFuture<?>> receiving = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int first = t * 2_000;
            Thread.Builder builder = t % 2 == 0 ? Thread.ofVirtual() : Thread.ofPlatform();
            senders.add(builder.start(() -> {
                try {
                    for (int i = 0; i < 1_000; i++) {
                        channel.send(first + i);
                    }
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }));
            sending.add(loop.submit("__main__", "send_all", channel, first + 1_000, first + 2_000));
            threads.add(builder.start(() -> {
                try {
                    while (true) {
                        received.add((long) channel.receive());
                    }
                } catch (PythonChannel.ClosedException | InterruptedException e) {
                    assertInstanceOf(PythonChannel.ClosedException.class, e);
                }
            }));
            receiving.add(loop.submit(List.class, "__main__", "receive_all", channel));
        }
        for (Thread sender : senders) {
            assertTrue(sender.join(Duration.ofSeconds(60)));
        }
        for (CompletableFuture<?> sent : sending) {
            within(sent);
        }
        channel.close();
        for (Thread thread : threads) {
            assertTrue(thread.join(Duration.ofSeconds(60)));
        }
        for (CompletableFuture<?> list : receiving) {
            received.addAll((List<?>) within(list));
        }
        assertEquals(8_000, received.size());
        assertEquals(8_000, new HashSet<>(received).size());
    }

    @Test
    void aLoopThatEndsLeavesTheChannelToOthers() throws Exception {
        PythonChannel<Integer> channel = python.channel(Integer.class, 1);
        PythonLoop other = python.startLoop("other");
        CompletableFuture<?> waiting = other.submit("__main__", "receive", channel);
        within(other.submit(python.eval("asyncio.sleep"), 0));
        other.close();
        assertTrue(waiting.isCompletedExceptionally());
        channel.send(1);
        assertEquals(1, within(loop.submit(Integer.class, "__main__", "receive", channel)));
    }

    @Test
    void theLoopsThreadDoesNotWait() {
        PythonChannel<Integer> channel = python.channel(Integer.class, 1);
        CompletableFuture<Integer> waiting = loop.submit(python.eval("asyncio.sleep"), 0.01)
                .thenApply(nothing -> {
                    try {
                        return channel.receive();
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                });
        assertInstanceOf(IllegalStateException.class, causeOf(waiting));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        PythonChannel<Integer> channel = python.channel(Integer.class, 1);
        PyException e = assertInstanceOf(PyException.class, causeOf(loop.submit("__main__", "send", channel, "x")));
        assertEquals("TypeError", e.pythonType());
        assertThrows(IllegalArgumentException.class, () -> python.channel(Integer.class, 0));
    }
}
