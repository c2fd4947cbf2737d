package dev.jvloop.reactor;

import dev.jvloop.timer.TimerHeap;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/** What waits for a time. The heap holds numbers from 1 on: each is the place of a timer in a list, and 1. */
final class Timers {
    /** What {@link #nanosUntilFirst} answers if there is no timer. */
    static final long FOREVER = -1;

    private final TimerHeap heap = new TimerHeap();
    private final List<Entry> entries = new ArrayList<>();
    private final List<Integer> freePlaces = new ArrayList<>();

    /** A timer: first in the heap, then among what is about to run. */
    static final class Entry implements Runnable {
        private final long deadlineNanos;
        /** Null once it was cancelled or has run. */
        private Runnable taskOrNull;

        private int place;
        private int node;
        private boolean isInHeap = true;

        Entry(long deadlineNanos, Runnable task) {
            this.deadlineNanos = deadlineNanos;
            this.taskOrNull = task;
        }

        long deadlineNanos() {
            return deadlineNanos;
        }

        @Override
        public void run() {
            Runnable task = taskOrNull;
            taskOrNull = null;
            task.run();
        }
    }

    Entry add(long deadlineNanos, Runnable task) {
        if (heap.isEmpty()) {
            // However many there were, they hold no memory.
            entries.clear();
            freePlaces.clear();
        }
        Entry entry = new Entry(deadlineNanos, task);
        if (freePlaces.isEmpty()) {
            entry.place = entries.size();
            entries.add(entry);
        } else {
            entry.place = freePlaces.removeLast();
            entries.set(entry.place, entry);
        }
        entry.node = heap.push(deadlineNanos, entry.place + 1);
        return entry;
    }

    /** @return false if it has run, or was cancelled before */
    boolean cancel(Entry entry) {
        if (entry.taskOrNull == null) {
            return false;
        }
        entry.taskOrNull = null;
        if (entry.isInHeap) {
            heap.cancel(entry.node);
            giveBack(entry.place);
        }
        return true;
    }

    /** How long to wait for the first timer: at least 0, and at most a day. */
    long nanosUntilFirst(long now) {
        return heap.isEmpty() ? FOREVER : heap.nanosUntilFirst(now);
    }

    /** Moves the timers that are due, in the order of their deadlines. */
    void moveDueTo(Queue<Runnable> ready, long now) {
        while (!heap.isEmpty() && heap.firstDeadline() <= now) {
            ready.add(giveBack((int) heap.pop() - 1));
        }
        if (heap.wantsToShrink()) {
            heap.shrink((number, node) -> entries.get((int) number - 1).node = node);
        }
    }

    /** Whether something is a timer that was cancelled when it was about to run. */
    static boolean isCancelledTimer(Runnable runnable) {
        return runnable instanceof Entry entry && entry.taskOrNull == null;
    }

    private Entry giveBack(int place) {
        Entry entry = entries.set(place, null);
        entry.isInHeap = false;
        freePlaces.add(place);
        return entry;
    }

    /** Lets go of all tasks, at the end. */
    void clear() {
        entries.clear();
    }
}
