package dev.jvloop.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a reactor's threads agree on, with the waking counted. */
class InboxTest {
    private final AtomicInteger wakes = new AtomicInteger();
    private final Inbox inbox = new Inbox(wakes::incrementAndGet);

    private static void nothing() {}

    private Queue<Runnable> taken() {
        Queue<Runnable> taken = new ArrayDeque<>();
        inbox.moveTo(taken);
        return taken;
    }

    @Test
    void nobodyIsWokenWhoIsAwake() {
        for (int i = 0; i < 1000; i++) {
            inbox.put(InboxTest::nothing);
        }
        assertEquals(0, wakes.get());
        assertEquals(1000, taken().size());
        assertEquals(0, taken().size());
    }

    @Test
    void aSleeperIsWokenOnce() {
        assertTrue(inbox.fallAsleep(true));
        inbox.put(InboxTest::nothing);
        inbox.put(InboxTest::nothing);
        inbox.wake();
        assertEquals(1, wakes.get());
    }

    @Test
    void thereIsNoSleepBesideATask() {
        inbox.put(InboxTest::nothing);
        assertFalse(inbox.fallAsleep(true));
        taken();
        assertTrue(inbox.fallAsleep(true));
    }

    @Test
    void aWakeUpBeforeTheSleepPreventsItOnce() {
        inbox.wake();
        inbox.wake();
        assertFalse(inbox.fallAsleep(true));
        assertTrue(inbox.fallAsleep(true));
        assertEquals(0, wakes.get());
    }

    @Test
    void aWakeUpOfASleeperDoesNotPreventTheNextSleep() {
        inbox.fallAsleep(true);
        inbox.wake();
        inbox.noteAwake();
        assertTrue(inbox.fallAsleep(true));
    }

    @Test
    void aPollThatDoesNotWaitUsesAWakeUpUp() {
        inbox.wake();
        assertFalse(inbox.fallAsleep(false));
        assertTrue(inbox.fallAsleep(true));
    }

    @Test
    void afterTheEndNothingIsTakenAndNobodyIsWoken() {
        inbox.put(InboxTest::nothing);
        assertTrue(inbox.close());
        assertFalse(inbox.close());
        assertThrows(RejectedExecutionException.class, () -> inbox.put(InboxTest::nothing));
        inbox.wake();
        assertFalse(inbox.fallAsleep(true));
        assertEquals(0, taken().size());
        assertEquals(0, wakes.get());
    }

    @Test
    void whoHasTheReactorGivesItsDescriptorsBack() {
        assertTrue(inbox.enter());
        assertFalse(inbox.enter());
        assertFalse(inbox.close());
        assertTrue(inbox.leave());
        assertTrue(inbox.enter());
        assertFalse(inbox.leave());
    }
}
