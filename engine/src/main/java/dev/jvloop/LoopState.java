package dev.jvloop;

import java.time.Duration;

/**
 * What a loop was doing a moment ago. The numbers are read while the loop goes on, without the GIL, so they need not be
 * of the very same moment.
 *
 * @param name the loop's
 * @param isRunning whether it takes coroutines
 * @param waitingSubmissions what Java threads have left for it and it has not come to; much of it, for long, is a loop
 *     that a callback holds up
 * @param runningSubmissions what Java submitted and is in progress
 * @param readyCallbacks callbacks that are to run in the next iteration
 * @param timers timers that are not due
 * @param descriptors descriptors that it watches
 * @param iterations how often it has waited for events, or looked for them, and run callbacks
 * @param uptime since its start
 * @param cpuTime of its thread; zero after the loop's end. It lacks what the thread waits: for events, for the GIL, or in
 *     blocking calls
 */
public record LoopState(
        String name,
        boolean isRunning,
        int waitingSubmissions,
        int runningSubmissions,
        int readyCallbacks,
        int timers,
        int descriptors,
        long iterations,
        Duration uptime,
        Duration cpuTime) {
    /** The part of the time since an earlier state that the loop's thread was busy, from 0 to 1. */
    public double busyFractionSince(LoopState earlier) {
        Duration time = uptime.minus(earlier.uptime);
        return time.isPositive() ? (double) cpuTime.minus(earlier.cpuTime).toNanos() / time.toNanos() : 0;
    }
}
