package dev.jvloop.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.foreign.Symbols;
import java.lang.reflect.Field;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Timeouts, with the system call that counts nanoseconds and with the older one that counts milliseconds. */
abstract class AbstractBlockingWaitTest {
    private final boolean lacksPwait2;
    private final Poller poller = new Poller(new SystemCalls());
    private boolean before;

    AbstractBlockingWaitTest(boolean lacksPwait2) {
        this.lacksPwait2 = lacksPwait2;
    }

    @BeforeEach
    void choose() throws ReflectiveOperationException {
        // The first wait of a process finds out what the flag says.
        poller.await(0);
        before = flag().getBoolean(null);
        flag().setBoolean(null, before || lacksPwait2);
    }

    @AfterEach
    void restore() throws ReflectiveOperationException {
        flag().setBoolean(null, before);
        poller.close();
    }

    private static Field flag() throws ReflectiveOperationException {
        Field field = BlockingWait.class.getDeclaredField("kernelLacksPwait2");
        field.setAccessible(true);
        return field;
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 999, 1_000, 50_000, 999_999, 1_000_000, 1_000_001, 1_200_000, 7_654_321})
    void aWaitIsNeverShorterThanItsTimeout(long timeoutNanos) {
        for (int i = 0; i < 10; i++) {
            long started = System.nanoTime();
            int count = poller.await(timeoutNanos);
            long waited = System.nanoTime() - started;
            assertEquals(0, count);
            assertTrue(waited >= timeoutNanos, () -> waited + " instead of " + timeoutNanos);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, 86_400_000_000_000L, Integer.MAX_VALUE * 1_000_000L + 1})
    void aLongOrEndlessWaitEndsByAWakeUp(long timeoutNanos) {
        // Before the wait or within it: both must end it.
        Thread.ofPlatform().start(poller::wakeup);
        assertEquals(1, poller.await(timeoutNanos));
    }

    @Test
    void aShortWaitIsRoundedUpToAMillisecondOnlyWhereTheKernelCountsNothingShorter()
            throws ReflectiveOperationException {
        long timeoutNanos = 200_000;
        long shortest = Long.MAX_VALUE;
        for (int i = 0; i < 50; i++) {
            long started = System.nanoTime();
            poller.await(timeoutNanos);
            shortest = Math.min(shortest, System.nanoTime() - started);
        }
        boolean rounds = flag().getBoolean(null) || Symbols.findOrZero("epoll_pwait2") == 0;
        long least = rounds ? 1_000_000 : timeoutNanos;
        assertTrue(shortest >= least, shortest + " ns");
        assertTrue(rounds || shortest < 1_000_000, shortest + " ns");
    }
}
