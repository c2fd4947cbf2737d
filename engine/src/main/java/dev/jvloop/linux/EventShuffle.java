package dev.jvloop.linux;

import dev.jvloop.foreign.Memory;
import java.util.random.RandomGenerator;

/** Puts the events of one poll, whose order means nothing, into one that a seed decides. */
final class EventShuffle {
    private final RandomGenerator random;
    private final int eventSize;

    EventShuffle(RandomGenerator random, int eventSize) {
        this.random = random;
        this.eventSize = eventSize;
    }

    /** @param events address of {@code count} struct epoll_event */
    void shuffle(long events, int count) {
        for (int i = count - 1; i > 0; i--) {
            swap(events + (long) i * eventSize, events + (long) random.nextInt(i + 1) * eventSize);
        }
    }

    private void swap(long event, long other) {
        for (int offset = 0; offset < eventSize; offset += 4) {
            int word = Memory.getInt(event + offset);
            Memory.putInt(event + offset, Memory.getInt(other + offset));
            Memory.putInt(other + offset, word);
        }
    }
}
