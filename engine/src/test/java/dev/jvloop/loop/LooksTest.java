package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LooksTest {
    /** Counts who looks, and stands still in between. */
    private static final class CountingClock extends Clock {
        private final boolean monotonic;
        private long now = 1_000_000_000;
        private int looks;

        CountingClock(boolean monotonic) {
            this.monotonic = monotonic;
        }

        @Override
        public long nanos() {
            looks++;
            return now;
        }

        @Override
        boolean isMonotonic() {
            return monotonic;
        }
    }

    private static int looksOf(CountingClock clock, Looks looks, int iterations, long nanosEach) {
        clock.looks = 0;
        for (int i = 0; i < iterations; i++) {
            clock.now += nanosEach;
            looks.recentNanos(clock);
        }
        return clock.looks;
    }

    @Test
    void shortIterationsGoByTheLastLook() {
        CountingClock clock = new CountingClock(true);
        Looks looks = new Looks();
        looks.nanos(clock);
        assertEquals(25, looksOf(clock, looks, 97, 200), 1);
    }

    @Test
    void afterLongOnesEachLooks() {
        CountingClock clock = new CountingClock(true);
        Looks looks = new Looks();
        looks.nanos(clock);
        assertEquals(100, looksOf(clock, looks, 100, 5_000), 0);
        looksOf(clock, looks, 8, 200);
        // The first long ones may be taken for short ones, until the next look.
        assertEquals(97, looksOf(clock, looks, 100, 5_000), 3);
        assertEquals(100, looksOf(clock, looks, 100, 5_000), 0);
    }

    @Test
    void aClockThatIsSetByHandIsAskedEachTime() {
        CountingClock clock = new CountingClock(false);
        Looks looks = new Looks();
        looks.nanos(clock);
        assertEquals(100, looksOf(clock, looks, 100, 200), 0);
    }

    @Test
    void whoNeedsTheTimeGetsIt() {
        CountingClock clock = new CountingClock(true);
        Looks looks = new Looks();
        for (int i = 0; i < 10; i++) {
            clock.now += 200;
            assertEquals(clock.now, looks.nanos(clock));
            clock.now += 200;
            looks.recentNanos(clock);
        }
    }
}
