package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class MailboxTest {
    private static final int SENDERS = 3;
    private static final int EACH = 50_000;

    private final Mailbox mailbox = new Mailbox();

    @Test
    void whatIsLeftIsTakenInOrder() {
        for (long handle = 1; handle <= 1000; handle++) {
            assertTrue(mailbox.put(handle, handle % 2 == 0 ? Mailbox.NOW : handle * 10));
        }
        assertEquals(1000, mailbox.take());
        for (int i = 0; i < 1000; i++) {
            assertEquals(i + 1, mailbox.takenHandle(i));
            assertEquals((i + 1) % 2 == 0 ? Mailbox.NOW : (i + 1) * 10L, mailbox.takenDeadline(i));
        }
        assertTrue(mailbox.isEmpty());
        assertEquals(0, mailbox.take());
    }

    @Test
    void aLoopDoesNotFallAsleepOverMail() {
        assertTrue(mailbox.fallAsleep());
        mailbox.setAsleep(false);
        mailbox.put(1, Mailbox.NOW);
        assertFalse(mailbox.fallAsleep());
        mailbox.take();
        assertTrue(mailbox.fallAsleep());
    }

    @Test
    void aClosedOneTakesNothing() {
        mailbox.put(1, Mailbox.NOW);
        mailbox.close();
        assertFalse(mailbox.put(2, Mailbox.NOW));
        assertEquals(1, mailbox.take());
    }

    @Test
    void theCollectorIsShownWhatIsNotTakenYet() {
        mailbox.put(1, Mailbox.NOW);
        mailbox.take();
        mailbox.put(2, Mailbox.NOW);
        mailbox.put(3, 5);
        List<Long> shown = new ArrayList<>();
        mailbox.forEach(shown::add);
        assertEquals(List.of(2L, 3L), shown);
    }

    @Test
    void nothingIsLostOrTakenTwiceAmongThreads() throws Exception {
        try (var threads = Executors.newFixedThreadPool(SENDERS)) {
            List<Callable<Void>> senders = new ArrayList<>();
            for (int sender = 0; sender < SENDERS; sender++) {
                long number = sender;
                senders.add(() -> {
                    for (long i = 0; i < EACH; i++) {
                        mailbox.put(i * SENDERS + number, Mailbox.NOW);
                    }
                    return null;
                });
            }
            List<Future<Void>> running = senders.stream().map(threads::submit).toList();
            long[] next = new long[SENDERS];
            int received = 0;
            while (received < SENDERS * EACH) {
                int count = mailbox.take();
                for (int i = 0; i < count; i++) {
                    long handle = mailbox.takenHandle(i);
                    int sender = (int) (handle % SENDERS);
                    assertEquals(next[sender]++, handle / SENDERS);
                }
                received += count;
            }
            for (Future<Void> sender : running) {
                sender.get();
            }
        }
    }
}
