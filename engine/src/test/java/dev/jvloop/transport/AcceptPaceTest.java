package dev.jvloop.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AcceptPaceTest {
    private static final long MICROSECOND = 1000;
    private static final int BACKLOG = 100;

    private final AcceptPace pace = new AcceptPace(0);

    @BeforeEach
    void theFirstEventTakesAllThatWait() {
        assertEquals(BACKLOG, pace.next(0, BACKLOG));
    }

    @Test
    void aQuickLoopAcceptsOneForEachEvent() {
        for (int i = 1; i <= 10; i++) {
            assertEquals(1, pace.next(i * 50L * MICROSECOND, BACKLOG));
        }
    }

    @Test
    void aSlowLoopAcceptsOneMoreForEachTenthOfAMillisecond() {
        assertEquals(1 + 10, pace.next(1000 * MICROSECOND, BACKLOG));
        assertEquals(1 + 3, pace.next(1300 * MICROSECOND, BACKLOG));
        assertEquals(1, pace.next(1350 * MICROSECOND, BACKLOG));
    }

    @Test
    void noMoreThanTheBacklogAreAcceptedAfterARest() {
        assertEquals(BACKLOG, pace.next(Long.MAX_VALUE, BACKLOG));
    }

    @Test
    void oneIsAcceptedWithABacklogOfNone() {
        assertEquals(1, pace.next(50 * MICROSECOND, 0));
    }
}
