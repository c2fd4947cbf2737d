package dev.jvloop.host;

import dev.jvloop.ExitReason;
import dev.jvloop.RestartPolicy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/** The restarts of one worker, counted as its policy says. One thread. */
final class Restarts {
    private final RestartPolicy policy;
    /** When those were that may still count, by {@link System#nanoTime}. */
    private final Deque<Long> timesNanos = new ArrayDeque<>();

    Restarts(RestartPolicy policy) {
        this.policy = policy;
    }

    /** Counts a restart, and says how long to wait before it; null if there is to be none. */
    Duration nextDelayOrNull(ExitReason reason, long nowNanos) {
        boolean wanted = switch (policy.when()) {
            case NEVER -> false;
            case ON_FAILURE -> reason.isFailure();
            case ALWAYS -> true;
        };
        while (!timesNanos.isEmpty()
                && nowNanos - timesNanos.peekFirst() > policy.within().toNanos()) {
            timesNanos.removeFirst();
        }
        if (!wanted || timesNanos.size() >= policy.limit()) {
            return null;
        }
        Duration delay = policy.firstDelay();
        for (int i = 0; i < timesNanos.size() && delay.compareTo(policy.longestDelay()) < 0; i++) {
            delay = delay.multipliedBy(2);
        }
        timesNanos.addLast(nowNanos);
        return delay.compareTo(policy.longestDelay()) < 0 ? delay : policy.longestDelay();
    }
}
