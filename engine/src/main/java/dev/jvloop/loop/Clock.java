package dev.jvloop.loop;

import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;

/**
 * A loop's time in nanoseconds.
 *
 * <p>{@code System.nanoTime} and Python's {@code time.monotonic} both read CLOCK_MONOTONIC, so a plain loop's
 * {@code time()} is the value that {@code time.monotonic()} gives.
 */
public abstract class Clock {
    static final double NANOS_PER_SECOND = 1e9;

    public abstract long nanos();

    /** Whether it goes on by itself, so that it is about what it was a moment ago. */
    boolean isMonotonic() {
        return false;
    }

    /**
     * How far ahead a timer may be that counts as due. asyncio's {@code _clock_resolution} forgives a nanosecond, by which
     * a clock that Python code has moved to a timer's time, rounded, may fall short of it.
     */
    long slackNanos() {
        return 0;
    }

    /**
     * How long the loop really waits.
     *
     * @param timeoutNanos how long it would by this clock; negative: for ever
     * @param limitNanos how much of that is not for a timer's sake: what {@code run_once} was given
     */
    long beginWait(long timeoutNanos, long limitNanos) {
        return timeoutNanos;
    }

    /**
     * The wait has ended.
     *
     * @param count how many events it brought; negative if it was interrupted
     */
    void endWait(int count) {}

    /** Nanoseconds since {@code origin}, itself in {@code System.nanoTime} units. */
    public static Clock monotonicSince(long origin) {
        return new Clock() {
            @Override
            public long nanos() {
                return System.nanoTime() - origin;
            }

            @Override
            boolean isMonotonic() {
                return true;
            }
        };
    }

    /** The clock of a Python subclass that overrides {@code time()}, as test suites do to move time by hand. */
    public static Clock ofPythonMethod(long loop) {
        return new Clock() {
            @Override
            public long nanos() {
                long ownedTime = Calls.newMethodResult(loop, Names.TIME);
                double seconds = Py.toDouble(ownedTime);
                Refs.decref(ownedTime);
                return (long) Math.floor(seconds * NANOS_PER_SECOND);
            }

            @Override
            long slackNanos() {
                // One for that, and one for the floor here and the ceiling of a deadline.
                return 2;
            }
        };
    }

    static double toSeconds(long nanos) {
        return nanos / NANOS_PER_SECOND;
    }

    /**
     * The first nanosecond at which the clock, read in seconds, is not before {@code seconds}: so that a timer never
     * fires early although doubles round. NaN is due at once, as it is on asyncio, where no comparison holds it back.
     */
    static long deadlineNanos(double seconds) {
        if (Double.isNaN(seconds)) {
            return Long.MIN_VALUE;
        }
        double exact = seconds * NANOS_PER_SECOND;
        if (exact >= Long.MAX_VALUE) {
            return Long.MAX_VALUE;
        }
        long nanos = (long) Math.ceil(exact);
        while (nanos > Long.MIN_VALUE && toSeconds(nanos - 1) >= seconds) {
            nanos--;
        }
        while (toSeconds(nanos) < seconds) {
            nanos++;
        }
        return nanos;
    }
}
