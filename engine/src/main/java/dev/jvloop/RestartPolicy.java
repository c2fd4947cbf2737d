package dev.jvloop;

import java.time.Duration;
import java.util.Objects;

/**
 * Whether a {@link LoopWorker} that has ended is started again: at most so many times within a span of time, after a
 * delay that doubles with each restart within that span. One that was stopped by Java stays ended.
 *
 * <p>Immutable.
 *
 * @param when after which ends
 * @param limit how many restarts within {@code within} there are at most; the end after these is the last one
 * @param within the span of time that restarts are counted in
 * @param firstDelay what is waited before the first restart within the span
 * @param longestDelay where doubling stops
 */
public record RestartPolicy(When when, int limit, Duration within, Duration firstDelay, Duration longestDelay) {
    /** After which ends a worker is started again. */
    public enum When {
        /** After none. */
        NEVER,
        /** After those that are {@link ExitReason#isFailure()}. */
        ON_FAILURE,
        /** After all that Java did not ask for. */
        ALWAYS
    }

    /** @throws IllegalArgumentException for a negative limit or duration */
    public RestartPolicy {
        Objects.requireNonNull(when);
        if (limit < 0 || within.isNegative() || firstDelay.isNegative() || longestDelay.isNegative()) {
            throw new IllegalArgumentException("a restart policy has no negative limit, span or delay");
        }
    }

    private static RestartPolicy of(When when) {
        return new RestartPolicy(when, 5, Duration.ofMinutes(1), Duration.ofMillis(100), Duration.ofSeconds(10));
    }

    /** No restarts. */
    public static RestartPolicy never() {
        return of(When.NEVER);
    }

    /** After failures, at most 5 times a minute, with delays from 100 milliseconds to 10 seconds. */
    public static RestartPolicy onFailure() {
        return of(When.ON_FAILURE);
    }

    /** As {@link #onFailure()}, also after a main coroutine that returned. */
    public static RestartPolicy always() {
        return of(When.ALWAYS);
    }

    /** Another limit. */
    public RestartPolicy atMost(int restarts, Duration span) {
        return new RestartPolicy(when, restarts, span, firstDelay, longestDelay);
    }

    /** Other delays. */
    public RestartPolicy backOff(Duration first, Duration longest) {
        return new RestartPolicy(when, limit, within, first, longest);
    }
}
