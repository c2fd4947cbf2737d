package dev.jvloop.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class CancelledTimersTest {
    private final List<Long> recycled = new ArrayList<>();
    private final CancelledTimers timers = new CancelledTimers(recycled::add);

    @Test
    void theOldestIsRecycledIfItFits() {
        timers.recycleOldestIf(_ -> true);
        timers.add(1);
        timers.add(2);
        timers.recycleOldestIf(handle -> handle == 2);
        assertEquals(List.of(), recycled);
        timers.recycleOldestIf(handle -> handle == 1);
        assertEquals(List.of(1L), recycled);
        timers.recycleAll();
        assertEquals(List.of(1L, 2L), recycled);
    }

    @Test
    void whereThereIsNoRoomTheOldestLeaves() {
        LongStream.rangeClosed(1, 300).forEach(timers::add);
        assertEquals(LongStream.rangeClosed(1, 44).boxed().toList(), recycled);
        List<Long> shown = new ArrayList<>();
        timers.forEach(shown::add);
        assertEquals(LongStream.rangeClosed(45, 300).boxed().toList(), shown);
        timers.recycleAll();
        assertEquals(LongStream.rangeClosed(1, 300).boxed().toList(), recycled);
    }
}
