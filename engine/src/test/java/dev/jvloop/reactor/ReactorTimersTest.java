package dev.jvloop.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.Reactor;
import dev.jvloop.Reactor.Timer;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReactorTimersTest {
    private final List<Integer> run = new ArrayList<>();
    private Reactor reactor;

    @BeforeEach
    void open() throws IOException {
        reactor = Reactor.open();
        reactor.setUncaughtExceptionHandler((_, e) -> {
            throw new AssertionError("from a timer", e);
        });
    }

    @AfterEach
    void close() {
        reactor.close();
    }

    private Timer at(long nanoTime, int number) {
        return reactor.scheduleAt(nanoTime, () -> run.add(number));
    }

    @Test
    void aTimerIsNeverEarly() {
        for (int i = 0; i < 50; i++) {
            Timer timer = reactor.schedule(Duration.ofNanos(10_000L * i), () -> run.add(0));
            int before = run.size();
            while (run.size() == before) {
                reactor.runOnce();
            }
            assertTrue(System.nanoTime() >= timer.deadlineNanos());
        }
    }

    @Test
    void timersRunByDeadlineAndThoseOfOneInTheOrderTheyWereMade() {
        long past = System.nanoTime() - 1000;
        at(past + 2, 4);
        at(past, 1);
        at(past + 1, 3);
        at(past, 2);
        at(past + 2, 5);
        assertEquals(5, reactor.runOnce());
        assertEquals(List.of(1, 2, 3, 4, 5), run);
    }

    @Test
    void aTimerThatIsMadeInATurnIsForTheNext() {
        reactor.schedule(Duration.ofSeconds(-5), () -> reactor.schedule(Duration.ofSeconds(-10), () -> run.add(2)));
        at(Long.MIN_VALUE, 1);
        reactor.runOnce(Duration.ZERO);
        assertEquals(List.of(1), run);
        reactor.runOnce(Duration.ZERO);
        assertEquals(List.of(1, 2), run);
    }

    @Test
    void aTimerCancelsOneThatIsDueInTheSameTurn() {
        List<Timer> timers = new ArrayList<>();
        timers.add(reactor.scheduleAt(0, () -> assertTrue(timers.get(1).cancel())));
        timers.add(at(1, 1));
        timers.add(at(2, 2));
        assertEquals(2, reactor.runOnce());
        assertEquals(List.of(2), run);
        assertFalse(timers.get(0).cancel(), "it has run");
        assertFalse(timers.get(1).cancel(), "it was cancelled");
    }

    @Test
    void aDelayThatNeverEndsIsKeptAndDoesNotFire() {
        Timer timer = reactor.schedule(Duration.ofSeconds(Long.MAX_VALUE), () -> run.add(1));
        Timer almost = reactor.schedule(Duration.ofNanos(Long.MAX_VALUE), () -> run.add(2));
        assertEquals(Long.MAX_VALUE, timer.deadlineNanos());
        assertEquals(Long.MAX_VALUE, almost.deadlineNanos());
        assertEquals(0, reactor.runOnce(Duration.ZERO));
        assertTrue(timer.cancel());
    }

    @Test
    void aCancelledTimerHoldsNothing() {
        Object held = new Object();
        WeakReference<Object> reference = new WeakReference<>(held);
        Timer timer = timerThatHolds(held);
        held = null;
        timer.cancel();
        long limit = System.nanoTime() + 60_000_000_000L;
        while (reference.get() != null) {
            assertTrue(System.nanoTime() < limit, "the task is held");
            System.gc();
        }
        assertEquals(0, reactor.runOnce(Duration.ZERO));
    }

    private Timer timerThatHolds(Object object) {
        return reactor.schedule(Duration.ofDays(1), () -> run.add(object.hashCode()));
    }

    @Test
    void aHundredThousandTimersRunInOrderSaveTheCancelled() {
        SplittableRandom random = new SplittableRandom(5);
        int count = 100_000;
        long start = System.nanoTime();
        record Made(int number, Timer timer) {}
        List<Made> expected = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Timer timer = at(start + random.nextLong(20_000_000), i);
            if (i % 3 == 0) {
                expected.add(new Made(i, timer));
            } else if (timer.cancel()) {
                assertFalse(timer.cancel());
            }
        }
        expected.sort(Comparator.comparingLong((Made made) -> made.timer().deadlineNanos()));
        int told = 0;
        while (told < expected.size()) {
            told += reactor.runOnce();
        }
        // One that was due when it was cancelled would count too.
        assertEquals(expected.stream().map(Made::number).toList(), run);
        assertEquals(0, reactor.runOnce(Duration.ZERO));
    }
}
