package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.ExitReason;
import dev.jvloop.PyException;
import dev.jvloop.RestartPolicy;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Whether and when a worker is started again. */
class RestartsTest {
    private static final PyException EXCEPTION = new PyException("E", "", new StackTraceElement[0], null, null);
    private static final ExitReason FAILED = new ExitReason.Failed(EXCEPTION);
    private static final ExitReason FINISHED = new ExitReason.Finished();

    private static long seconds(long count) {
        return Duration.ofSeconds(count).toNanos();
    }

    @Test
    void failuresAreExceptionsAndStatuses() {
        List.of(FAILED, new ExitReason.Interrupted(EXCEPTION), new ExitReason.SystemExited(1, EXCEPTION))
                .forEach(reason -> assertTrue(reason.isFailure()));
        List.of(FINISHED, new ExitReason.Stopped(), new ExitReason.SystemExited(0, EXCEPTION))
                .forEach(reason -> assertFalse(reason.isFailure()));
    }

    @Test
    void thePolicySaysAfterWhichEnds() {
        assertNull(new Restarts(RestartPolicy.never()).nextDelayOrNull(FAILED, 0));
        assertNull(new Restarts(RestartPolicy.onFailure()).nextDelayOrNull(FINISHED, 0));
        assertEquals(Duration.ofMillis(100), new Restarts(RestartPolicy.onFailure()).nextDelayOrNull(FAILED, 0));
        assertEquals(Duration.ofMillis(100), new Restarts(RestartPolicy.always()).nextDelayOrNull(FINISHED, 0));
    }

    @Test
    void delaysDoubleAndRestartsAreLimitedWithinTheSpan() {
        Restarts restarts = new Restarts(RestartPolicy.onFailure()
                .atMost(4, Duration.ofSeconds(60))
                .backOff(Duration.ofSeconds(1), Duration.ofSeconds(3)));
        assertEquals(Duration.ofSeconds(1), restarts.nextDelayOrNull(FAILED, seconds(0)));
        assertEquals(Duration.ofSeconds(2), restarts.nextDelayOrNull(FAILED, seconds(10)));
        assertEquals(Duration.ofSeconds(3), restarts.nextDelayOrNull(FAILED, seconds(20)));
        assertEquals(Duration.ofSeconds(3), restarts.nextDelayOrNull(FAILED, seconds(30)));
        assertNull(restarts.nextDelayOrNull(FAILED, seconds(40)));
        // The first two no longer count.
        assertEquals(Duration.ofSeconds(3), restarts.nextDelayOrNull(FAILED, seconds(71)));
        assertEquals(Duration.ofSeconds(1), restarts.nextDelayOrNull(FAILED, seconds(1000)));
    }

    @Test
    void aDelayOfNothingStaysNothing() {
        Restarts restarts = new Restarts(RestartPolicy.always()
                .atMost(Integer.MAX_VALUE, Duration.ofDays(1))
                .backOff(Duration.ZERO, Duration.ZERO));
        for (int i = 0; i < 1000; i++) {
            assertEquals(Duration.ZERO, restarts.nextDelayOrNull(FINISHED, i));
        }
    }

    @Test
    void nothingIsNegative() {
        assertThrows(IllegalArgumentException.class, () -> RestartPolicy.never().atMost(-1, Duration.ZERO));
        assertThrows(
                IllegalArgumentException.class,
                () -> RestartPolicy.never().backOff(Duration.ofMillis(-1), Duration.ZERO));
    }
}
