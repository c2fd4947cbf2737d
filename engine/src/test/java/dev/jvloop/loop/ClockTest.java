package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClockTest {
    /** The earliest and the latest instant that the clock can show, in seconds. */
    private static final double FIRST = Clock.toSeconds(Long.MIN_VALUE);

    private static final double LAST = Clock.toSeconds(Long.MAX_VALUE);

    @Test
    void nanIsDueAtOnce() {
        assertEquals(Long.MIN_VALUE, Clock.deadlineNanos(Double.NaN));
    }

    @Test
    void minusInfinityIsDueAtOnceAndInfinityNever() {
        assertEquals(Long.MIN_VALUE, Clock.deadlineNanos(Double.NEGATIVE_INFINITY));
        assertEquals(Long.MAX_VALUE, Clock.deadlineNanos(Double.POSITIVE_INFINITY));
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e10, 1e300, Double.MAX_VALUE})
    void whatIsBeyondTheClockNeverComes(double seconds) {
        assertEquals(Long.MAX_VALUE, Clock.deadlineNanos(seconds));
        assertEquals(Long.MIN_VALUE, Clock.deadlineNanos(-seconds));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.0, -0.0})
    void zeroIsZero(double seconds) {
        assertEquals(0, Clock.deadlineNanos(seconds));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 999, 1_000, 123_456_789, 1_000_000_000, 86_400_000_000_000L, 1L << 52})
    void aTimeThatTheClockShowedIsReachedAgainAtThatReading(long nanos) {
        double shown = Clock.toSeconds(nanos);
        long deadline = Clock.deadlineNanos(shown);
        assertTrue(deadline <= nanos);
        assertEquals(shown, Clock.toSeconds(deadline));
    }

    @Test
    void theDeadlineIsTheFirstReadingThatIsNotEarly() {
        Random random = new Random(5);
        for (int i = 0; i < 300_000; i++) {
            expectFirstNotEarly(anyDouble(random, i));
        }
    }

    @Test
    void neighboursOfTheLimitsAreNeverEarly() {
        for (double limit : new double[] {FIRST, LAST, 0, 1, 1e-9, 5e-10, 1e6, 4.5e9, Double.MIN_VALUE}) {
            double above = limit;
            double below = limit;
            for (int i = 0; i < 50; i++) {
                expectFirstNotEarly(above);
                expectFirstNotEarly(below);
                expectFirstNotEarly(-above);
                above = Math.nextUp(above);
                below = Math.nextDown(below);
            }
        }
    }

    @Test
    void laterTimesHaveNoEarlierDeadlines() {
        Random random = new Random(6);
        for (int i = 0; i < 100_000; i++) {
            double one = anyDouble(random, i);
            double other = random.nextBoolean() ? anyDouble(random, i) : Math.nextUp(one);
            if (one <= other) {
                assertTrue(Clock.deadlineNanos(one) <= Clock.deadlineNanos(other), () -> one + " and " + other);
            }
        }
    }

    @Test
    void aMonotonicClockCountsFromItsOrigin() {
        long origin = System.nanoTime();
        Clock clock = Clock.monotonicSince(origin);
        long before = System.nanoTime() - origin;
        long nanos = clock.nanos();
        long after = System.nanoTime() - origin;
        assertTrue(before <= nanos && nanos <= after);
    }

    /** All kinds of doubles: delays and loop times as programs have them, and arbitrary bit patterns. */
    private static double anyDouble(Random random, int kind) {
        return switch (kind % 5) {
            case 0 -> random.nextDouble();
            case 1 -> random.nextDouble() * 1e7;
            case 2 -> random.nextLong(-1_000_000, 1_000_000) / 1e6;
            case 3 -> random.nextDouble(-9.3e9, 9.3e9);
            default -> Double.longBitsToDouble(random.nextLong());
        };
    }

    private static void expectFirstNotEarly(double seconds) {
        long deadline = Clock.deadlineNanos(seconds);
        if (Double.isNaN(seconds) || seconds <= FIRST) {
            assertEquals(Long.MIN_VALUE, deadline, () -> "for " + seconds);
        } else if (seconds > LAST) {
            assertEquals(Long.MAX_VALUE, deadline, () -> "for " + seconds);
        } else {
            assertTrue(Clock.toSeconds(deadline) >= seconds, () -> "early for " + seconds);
            assertTrue(
                    Clock.toSeconds(deadline - 1) < seconds || deadline == Long.MAX_VALUE,
                    () -> "not the first for " + seconds);
        }
    }
}
