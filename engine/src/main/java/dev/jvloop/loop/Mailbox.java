package dev.jvloop.loop;

import dev.jvloop.linux.Poller;
import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * What other threads leave for a loop, in free-threaded Python: handles to run, timers to take up and timers
 * to take out, each an owned reference, and whether the loop has to be woken for them.
 *
 * <p>Its lock is held for a few instructions in which nothing of Python is called, and no thread is stopped by
 * Python's garbage collector there. So who waits for the lock never waits for a stopped thread, and the collector, which
 * stops all threads, finds it free: {@link #forEach} needs no lock.
 */
final class Mailbox {
    /** The deadline of a handle that is no timer. */
    static final long NOW = Long.MIN_VALUE;
    /** Of a timer that was cancelled. */
    static final long CANCELLED = NOW + 1;
    /** The earliest of a timer: as long ago as that of NaN, which is the least of all. */
    static final long EARLIEST = CANCELLED + 1;

    private static final int INITIAL_CAPACITY = 64;

    private long[] handles = new long[INITIAL_CAPACITY];
    private long[] deadlines = new long[INITIAL_CAPACITY];
    private volatile int size;
    private boolean asleep;
    private boolean closed;
    /** What {@link #take} took: the loop's thread alone looks there. */
    private long[] takenHandles = new long[INITIAL_CAPACITY];

    private long[] takenDeadlines = new long[INITIAL_CAPACITY];

    /**
     * Leaves a handle. Any thread.
     *
     * @return false, with nothing taken over, if the loop is closed
     */
    synchronized boolean put(long ownedHandle, long deadlineNanos) {
        if (closed) {
            return false;
        }
        int count = size;
        if (count == handles.length) {
            handles = Arrays.copyOf(handles, count * 2);
            deadlines = Arrays.copyOf(deadlines, count * 2);
        }
        handles[count] = ownedHandle;
        deadlines[count] = deadlineNanos;
        size = count + 1;
        return true;
    }

    /** Ends the loop's wait, or the one it is about to begin. Any thread. */
    synchronized void wake(Poller poller) {
        if (asleep && !closed) {
            asleep = false;
            poller.wakeup();
        }
    }

    boolean isEmpty() {
        return size == 0;
    }

    /**
     * Says that the loop is about to wait: from here on {@link #wake} wakes it.
     *
     * @return false if there is something to take instead
     */
    synchronized boolean fallAsleep() {
        asleep = size == 0;
        return asleep;
    }

    /** Says whether somebody waits, without a look at what there is. */
    synchronized void setAsleep(boolean value) {
        asleep = value;
    }

    /**
     * Takes out what there is, to be read by {@link #takenHandle} and {@link #takenDeadline}.
     *
     * @return how many
     */
    synchronized int take() {
        int count = size;
        long[] emptyHandles = takenHandles;
        long[] emptyDeadlines = takenDeadlines;
        takenHandles = handles;
        takenDeadlines = deadlines;
        handles = emptyHandles;
        deadlines = emptyDeadlines;
        size = 0;
        return count;
    }

    /** An owned reference. */
    long takenHandle(int index) {
        return takenHandles[index];
    }

    /** When a timer is due, {@link #CANCELLED} for one to take out, or {@link #NOW} for other handles. */
    long takenDeadline(int index) {
        return takenDeadlines[index];
    }

    /** Takes nothing more, and wakes nobody: the descriptors are about to be closed. */
    synchronized void close() {
        closed = true;
    }

    void forEach(LongConsumer action) {
        for (int i = 0; i < size; i++) {
            action.accept(handles[i]);
        }
    }
}
