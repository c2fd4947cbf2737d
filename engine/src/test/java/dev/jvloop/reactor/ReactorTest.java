package dev.jvloop.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.Interest;
import dev.jvloop.Reactor;
import dev.jvloop.Reactor.Registration;
import dev.jvloop.linux.Descriptors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Descriptors and threads; timers are in {@link ReactorTimersTest}. */
class ReactorTest {
    private final Descriptors descriptors = new Descriptors();
    private final List<String> seen = new ArrayList<>();
    private Reactor reactor;
    private long descriptorsBefore;

    @BeforeEach
    void open() throws IOException {
        descriptorsBefore = openDescriptors();
        reactor = Reactor.open();
        reactor.setUncaughtExceptionHandler((_, e) -> {
            throw new AssertionError("from a handler", e);
        });
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        reactor.close();
        descriptors.close();
        assertEquals(descriptorsBefore, openDescriptors());
    }

    /** Those that a reactor may have: the JVM opens files when it likes. */
    private static long openDescriptors() throws IOException {
        long count = 0;
        try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path link : links) {
                count += Files.readSymbolicLink(link).toString().startsWith("anon_inode:") ? 1 : 0;
            }
        }
        return count;
    }

    /** Says what it is told, and reads what there is. */
    private Reactor.Handler reader(String name) {
        return (registration, ready) -> {
            String text = ready.reads() ? " " + descriptors.read(registration.fd()) : "";
            seen.add(name + " " + ready + text);
        };
    }

    private int turn() {
        return reactor.runOnce(Duration.ZERO);
    }

    // ---- descriptors

    @Test
    void noPythonIsInThisProcess() throws IOException {
        assertFalse(Files.readString(Path.of("/proc/self/maps")).contains("libpython"));
    }

    @Test
    void aHandlerIsToldWhatItsDescriptorIsReadyFor() throws IOException {
        int[] pair = descriptors.socketPair();
        Registration registration = reactor.register(pair[0], Interest.READ_WRITE, reader("a"));
        assertEquals(1, turn());
        descriptors.write(pair[1], "hello");
        assertEquals(1, turn());
        registration.setInterest(Interest.READ);
        assertEquals(0, turn());
        descriptors.write(pair[1], "again");
        assertEquals(1, turn());
        assertEquals(List.of("a WRITE", "a READ_WRITE hello", "a READ again"), seen);
        assertEquals(pair[0], registration.fd());
        assertEquals(Interest.READ, registration.interest());
    }

    @Test
    void aHandlerIsToldForAsLongAsThereIsSomethingToRead() throws IOException {
        int[] pipe = descriptors.pipe();
        reactor.register(pipe[0], Interest.READ, (_, _) -> seen.add("told"));
        descriptors.write(pipe[1], "x");
        turn();
        turn();
        assertEquals(List.of("told", "told"), seen);
    }

    @Test
    void theEndOfAPipeIsReadiness() throws IOException {
        int[] pipe = descriptors.pipe();
        reactor.register(pipe[0], Interest.READ, reader("end"));
        descriptors.close(pipe[1]);
        assertEquals(1, reactor.runOnce());
        assertEquals(List.of("end READ "), seen);
    }

    @Test
    void aLostReaderIsReadinessToWrite() throws IOException {
        int[] pipe = descriptors.pipe();
        Registration registration = reactor.register(pipe[1], Interest.WRITE, reader("writer"));
        descriptors.close(pipe[0]);
        assertEquals(1, turn());
        assertEquals(List.of("writer WRITE"), seen);
        registration.cancel();
        assertEquals(0, turn());
    }

    @Test
    void aHandlerEndsItsOwnRegistrationAndThatOfOthersInOneTurn() throws IOException {
        List<Registration> registrations = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            int[] pair = descriptors.socketPair();
            descriptors.write(pair[1], "x");
            registrations.add(reactor.register(pair[0], Interest.READ, (self, _) -> {
                seen.add("told");
                assertTrue(self.isValid());
                registrations.forEach(Registration::cancel);
                assertFalse(self.isValid());
            }));
        }
        assertEquals(1, turn());
        assertEquals(0, turn());
        assertEquals(List.of("told"), seen);
        assertThrows(IllegalStateException.class, () -> registrations.getFirst().setInterest(Interest.WRITE));
        assertThrows(IllegalStateException.class, () -> registrations.getFirst().interest());
        registrations.getFirst().cancel();
    }

    @Test
    void anEventOfAFormerRegistrationIsNotToldToTheNextOfItsNumber() throws IOException {
        int[] first = descriptors.socketPair();
        int[] second = descriptors.socketPair();
        descriptors.write(first[1], "x");
        descriptors.write(second[1], "x");
        Reactor.Handler replacing = (self, _) -> {
            // The other has an event in this turn too. Its number gets another socket, which has nothing to read.
            int other = self.fd() == first[0] ? second[0] : first[0];
            descriptors.close(other);
            int[] fresh = descriptors.socketPair();
            descriptors.duplicateTo(fresh[0], other);
            reactor.register(other, Interest.READ, reader("stranger"));
            seen.add("replaced");
            self.cancel();
        };
        reactor.register(first[0], Interest.READ, replacing);
        reactor.register(second[0], Interest.READ, replacing);
        assertEquals(1, turn());
        assertEquals(0, turn());
        assertEquals(List.of("replaced"), seen);
    }

    @Test
    void aNumberThatIsRegisteredAgainHasItsNewHandler() throws IOException {
        int[] pair = descriptors.socketPair();
        descriptors.write(pair[1], "x");
        Registration former = reactor.register(pair[0], Interest.READ, reader("former"));
        Registration latter = reactor.register(pair[0], Interest.READ, reader("latter"));
        assertFalse(former.isValid());
        former.cancel();
        assertTrue(latter.isValid());
        assertEquals(1, turn());
        assertEquals(List.of("latter READ x"), seen);
    }

    @Test
    void whatCannotBeWatchedIsRefused(@TempDir Path folder) throws IOException {
        int file = descriptors.regularFile(
                Files.writeString(folder.resolve("file"), "text").toString());
        String message = assertThrows(IOException.class, () -> reactor.register(file, Interest.READ, reader("file")))
                .getMessage();
        assertEquals("descriptor " + file + " cannot be watched: is it that of a regular file?", message);
        int[] pair = descriptors.socketPair();
        Registration registration = reactor.register(pair[0], Interest.READ, reader("open"));
        descriptors.close(pair[0]);
        message = assertThrows(IOException.class, () -> registration.setInterest(Interest.WRITE))
                .getMessage();
        assertEquals("descriptor " + pair[0] + " is not open", message);
        assertThrows(NullPointerException.class, () -> reactor.register(pair[1], null, reader("none")));
        assertThrows(NullPointerException.class, () -> reactor.register(pair[1], Interest.READ, null));
    }

    // ---- errors

    @Test
    void whatHandlersThrowGoesToTheUncaughtExceptionHandlerAndTheTurnGoesOn() throws IOException {
        int[] pair = descriptors.socketPair();
        reactor.setUncaughtExceptionHandler((thread, e) -> {
            assertSame(Thread.currentThread(), thread);
            seen.add(e.getMessage());
        });
        reactor.register(pair[0], Interest.WRITE, (registration, _) -> {
            registration.cancel();
            throw new IOException("of a handler");
        });
        reactor.schedule(Duration.ZERO, () -> {
            throw new IllegalStateException("of a timer");
        });
        reactor.execute(() -> {
            throw new StackOverflowError("of a task");
        });
        reactor.execute(() -> seen.add("last"));
        assertEquals(4, turn());
        assertEquals(List.of("of a handler", "of a timer", "of a task", "last"), seen);
    }

    @Test
    void withoutOneOfItsOwnTheThreadsHandlerIsTold() throws Exception {
        reactor.setUncaughtExceptionHandler(null);
        reactor.execute(() -> {
            throw new IllegalStateException("unexpected");
        });
        Thread thread = Thread.ofPlatform()
                .uncaughtExceptionHandler((_, e) -> seen.add(e.getMessage()))
                .start(this::turn);
        thread.join();
        assertEquals(List.of("unexpected"), seen);
    }

    @Test
    void whatTheUncaughtExceptionHandlerThrowsEndsTheTurnAndTheRestIsRunByTheNext() throws IOException {
        reactor.setUncaughtExceptionHandler((_, e) -> {
            throw new UncheckedIOException((IOException) e);
        });
        int[] pair = descriptors.socketPair();
        reactor.register(pair[0], Interest.WRITE, (registration, _) -> {
            registration.cancel();
            throw new IOException("of a handler");
        });
        reactor.execute(() -> seen.add("task"));
        reactor.schedule(Duration.ZERO, () -> seen.add("timer"));
        assertThrows(UncheckedIOException.class, this::turn);
        assertEquals(List.of(), seen);
        // It does not wait, although what is left is no longer where it was.
        assertEquals(2, reactor.runOnce());
        assertEquals(List.of("timer", "task"), seen);
    }

    // ---- tasks and threads

    @Test
    void whatATaskAddsIsForTheNextTurn() {
        reactor.execute(() -> {
            seen.add("first");
            reactor.execute(() -> seen.add("third"));
            reactor.schedule(Duration.ZERO, () -> seen.add("second"));
        });
        assertEquals(1, reactor.runOnce());
        assertEquals(2, reactor.runOnce());
        assertEquals(List.of("first", "second", "third"), seen);
    }

    @Test
    void aTurnCannotRunAnother() {
        reactor.execute(() -> assertThrows(IllegalStateException.class, this::turn));
        assertEquals(1, turn());
        assertEquals(0, turn());
    }

    @Test
    void aNegativeTimeoutIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> reactor.runOnce(Duration.ofNanos(-1)));
    }

    @Test
    void aTimeoutEndsTheWait() {
        long before = System.nanoTime();
        assertEquals(0, reactor.runOnce(Duration.ofMillis(5)));
        assertTrue(System.nanoTime() - before >= 5_000_000);
    }

    @Test
    void aWakeUpBeforeTheTurnEndsItsWait() {
        reactor.wakeup();
        assertEquals(0, reactor.runOnce());
    }

    @Test
    void anotherThreadHasToStayOutWhileOneRunsIt() throws Exception {
        int[] pair = descriptors.socketPair();
        Registration registration = reactor.register(pair[0], Interest.READ, reader("a"));
        Reactor.Timer timer = reactor.schedule(Duration.ofDays(1), () -> {});
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch tried = new CountDownLatch(1);
        Thread runner = Thread.ofPlatform().start(() -> {
            reactor.execute(() -> {
                inside.countDown();
                await(tried);
            });
            reactor.runOnce();
        });
        await(inside);
        assertThrows(WrongThreadException.class, this::turn);
        assertThrows(WrongThreadException.class, () -> reactor.register(pair[1], Interest.READ, reader("b")));
        assertThrows(WrongThreadException.class, () -> reactor.schedule(Duration.ZERO, () -> {}));
        assertThrows(WrongThreadException.class, () -> reactor.setUncaughtExceptionHandler(null));
        assertThrows(WrongThreadException.class, () -> registration.setInterest(Interest.WRITE));
        assertThrows(WrongThreadException.class, registration::cancel);
        assertThrows(WrongThreadException.class, timer::cancel);
        assertTrue(reactor.isOpen());
        tried.countDown();
        runner.join();
        assertTrue(timer.cancel());
        assertTrue(registration.isValid());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void eightThreadsLeaveTasksForOneThatSleepsBetweenThem() throws Exception {
        int threadCount = 8;
        int each = 5_000;
        int[] next = new int[threadCount];
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < threadCount; t++) {
            int mine = t;
            threads.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    int number = i;
                    reactor.execute(() -> assertEquals(number, next[mine]++));
                    if (i % 64 == 0) {
                        // Until it was run: so the reactor sleeps again and again, and each time has to be woken.
                        CompletableFuture.runAsync(() -> {}, reactor).join();
                    }
                    if (i % 7 == 0) {
                        reactor.wakeup();
                    }
                }
            }));
        }
        int count = 0;
        while (count < threadCount * (each + Math.ceilDiv(each, 64))) {
            count += reactor.runOnce();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (int told : next) {
            assertEquals(each, told);
        }
    }

    // ---- the end

    @Test
    void aHandlerClosesTheReactorAndNothingMoreIsRun() throws IOException {
        for (int i = 0; i < 3; i++) {
            int[] pair = descriptors.socketPair();
            reactor.register(pair[0], Interest.WRITE, (registration, _) -> {
                seen.add("told");
                reactor.close();
                assertFalse(registration.isValid());
            });
        }
        Reactor.Timer timer = reactor.schedule(Duration.ZERO, () -> seen.add("timer"));
        reactor.execute(() -> seen.add("task"));
        assertEquals(1, turn());
        assertEquals(List.of("told"), seen);
        assertFalse(timer.cancel());
        assertThrows(IllegalStateException.class, this::turn);
        assertThrows(IllegalStateException.class, () -> reactor.schedule(Duration.ZERO, () -> {}));
        assertThrows(
                IllegalStateException.class,
                () -> reactor.register(descriptors.eventfd(), Interest.READ, reader("none")));
        assertThrows(RejectedExecutionException.class, () -> reactor.execute(() -> {}));
        reactor.wakeup();
        reactor.close();
        assertFalse(reactor.isOpen());
    }

    @Test
    void anotherThreadClosesItWhileItWaits() throws Exception {
        for (int i = 0; i < 200; i++) {
            Reactor closed = Reactor.open();
            closed.register(descriptors.eventfd(), Interest.READ, reader("none"));
            AtomicReference<Throwable> thrown = new AtomicReference<>();
            Thread runner = Thread.ofPlatform().start(() -> {
                try {
                    closed.runOnce();
                } catch (IllegalStateException e) {
                    thrown.set(e);
                }
            });
            closed.close();
            runner.join();
            if (thrown.get() != null) {
                assertEquals("the reactor is closed", thrown.get().getMessage());
            }
        }
    }

    @Test
    void itIsClosedByManyThreadsWhileManyLeaveTasks() throws Exception {
        for (int i = 0; i < 50; i++) {
            Reactor busy = Reactor.open();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                boolean closes = t % 2 == 0;
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        for (int n = 0; n < 100; n++) {
                            busy.execute(() -> {});
                            busy.wakeup();
                        }
                    } catch (RejectedExecutionException e) {
                        assertFalse(busy.isOpen());
                    }
                    if (closes) {
                        busy.close();
                    }
                }));
            }
            assertThrows(IllegalStateException.class, () -> {
                while (true) {
                    busy.runOnce();
                }
            });
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }
}
