package dev.jvloop.loop;

/**
 * How often a busy loop without timers looks at the clock, which tells it when I/O is to be polled next. A look takes 20
 * to 25 ns, and the shortest iterations take 150: where the last ones were short, the next three go by the last look.
 */
final class Looks {
    private static final int MOST_WITHOUT = 3;
    /** A longer iteration does something that a look costs little beside. */
    private static final long SHORT_NANOS = 1_000;

    private long lastNanos;
    private int iterationsSince;
    private int iterationsWithout;

    /** The time now, or at the last look. */
    long recentNanos(Clock clock) {
        if (iterationsSince < iterationsWithout) {
            iterationsSince++;
            return lastNanos;
        }
        return nanos(clock);
    }

    /** The time now. */
    long nanos(Clock clock) {
        long now = clock.nanos();
        boolean wereShort = now - lastNanos < SHORT_NANOS * (iterationsSince + 1);
        iterationsWithout = wereShort && clock.isMonotonic() ? MOST_WITHOUT : 0;
        iterationsSince = 0;
        lastNanos = now;
        return now;
    }
}
