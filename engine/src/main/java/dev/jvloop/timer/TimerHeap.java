package dev.jvloop.timer;

import java.util.Arrays;
import java.util.function.LongConsumer;
import java.util.function.LongPredicate;

/**
 * Pending timers: a binary heap of (deadline, insertion number, handle), in three arrays.
 *
 * <p>Timers of one deadline leave in the order they came. Cancelling costs nothing here: the heap is told how many
 * of its handles are cancelled, and when they are more than half of it, it is rebuilt without them, so that each
 * cancel pays O(1) on average and cancelled timers do not hold memory. A handle is any number: a Python object's address,
 * which the heap then owns a reference to, or an index. Not thread-safe.
 */
public final class TimerHeap {
    private static final int COMPACT_ABOVE = 100;
    private static final int INITIAL_CAPACITY = 64;
    /** asyncio's longest wait in its selector: a day. Longer ones only repeat it. */
    private static final long MAX_WAIT_NANOS = 24L * 3600 * 1_000_000_000L;

    private long[] deadlines = new long[INITIAL_CAPACITY];
    private long[] numbers = new long[INITIAL_CAPACITY];
    private long[] handles = new long[INITIAL_CAPACITY];
    private int size;
    private int cancelled;
    private long nextNumber;

    public void push(long deadlineNanos, long ownedHandle) {
        push(deadlineNanos, nextNumber++, ownedHandle);
    }

    /** {@link #push} with a number of one's own, which orders the timers of one deadline. */
    public void push(long deadlineNanos, long number, long ownedHandle) {
        if (size == deadlines.length) {
            resize(size * 2);
        }
        size++;
        siftUp(size - 1, deadlineNanos, number, ownedHandle);
    }

    public boolean isEmpty() {
        return size == 0;
    }

    public int size() {
        return size;
    }

    /** The earliest deadline. The heap must not be empty. */
    public long firstDeadline() {
        return deadlines[0];
    }

    /** How long to wait for the earliest deadline: at least 0, and at most a day. The heap must not be empty. */
    public long nanosUntilFirst(long now) {
        if (deadlines[0] <= now) {
            return 0;
        }
        long nanos = deadlines[0] - now;
        return nanos < 0 ? MAX_WAIT_NANOS : Math.min(nanos, MAX_WAIT_NANOS);
    }

    /** The handle of the earliest deadline. The heap must not be empty. */
    public long firstHandle() {
        return handles[0];
    }

    /** Removes the first timer; gives its owned handle. */
    public long pop() {
        long ownedHandle = handles[0];
        size--;
        long deadline = deadlines[size];
        long number = numbers[size];
        long last = handles[size];
        handles[size] = 0;
        if (size > 0) {
            siftDown(0, deadline, number, last);
        }
        return ownedHandle;
    }

    /** One more of the handles in here was cancelled. */
    public void noteCancelled() {
        cancelled++;
    }

    /** {@code count} more of them were. */
    public void noteCancelled(int count) {
        cancelled += count;
    }

    /** A cancelled handle has left by {@link #pop}. */
    public void noteCancelledLeft() {
        cancelled--;
    }

    /** Whether more than half of a large heap is cancelled: time for {@link #compact}. */
    public boolean wantsCompaction() {
        return size > COMPACT_ABOVE && cancelled > size / 2;
    }

    /** Rebuilds the heap without the cancelled handles, each of which is passed, owned, to {@code dropped}. */
    public void compact(LongPredicate isCancelled, LongConsumer dropped) {
        long[] gone = new long[size];
        int goneCount = 0;
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (isCancelled.test(handles[i])) {
                gone[goneCount++] = handles[i];
            } else {
                deadlines[kept] = deadlines[i];
                numbers[kept] = numbers[i];
                handles[kept] = handles[i];
                kept++;
            }
        }
        Arrays.fill(handles, kept, size, 0);
        size = kept;
        cancelled = 0;
        for (int i = size / 2 - 1; i >= 0; i--) {
            siftDown(i, deadlines[i], numbers[i], handles[i]);
        }
        if (deadlines.length > INITIAL_CAPACITY && size < deadlines.length / 4) {
            resize(Math.max(INITIAL_CAPACITY, Integer.highestOneBit(Math.max(1, size)) * 2));
        }
        // Last, since releasing a handle may run code that schedules timers.
        for (int i = 0; i < goneCount; i++) {
            dropped.accept(gone[i]);
        }
    }

    public void forEach(LongConsumer action) {
        for (int i = 0; i < size; i++) {
            action.accept(handles[i]);
        }
    }

    private void siftUp(int from, long deadline, long number, long handle) {
        int i = from;
        while (i > 0) {
            int parent = (i - 1) >>> 1;
            if (!before(deadline, number, parent)) {
                break;
            }
            move(parent, i);
            i = parent;
        }
        put(i, deadline, number, handle);
    }

    private void siftDown(int from, long deadline, long number, long handle) {
        int i = from;
        int half = size >>> 1;
        while (i < half) {
            int child = 2 * i + 1;
            int right = child + 1;
            if (right < size && before(deadlines[right], numbers[right], child)) {
                child = right;
            }
            if (before(deadline, number, child)) {
                break;
            }
            move(child, i);
            i = child;
        }
        put(i, deadline, number, handle);
    }

    private boolean before(long deadline, long number, int other) {
        return deadline < deadlines[other] || deadline == deadlines[other] && number < numbers[other];
    }

    private void move(int from, int to) {
        put(to, deadlines[from], numbers[from], handles[from]);
    }

    private void put(int at, long deadline, long number, long handle) {
        deadlines[at] = deadline;
        numbers[at] = number;
        handles[at] = handle;
    }

    private void resize(int capacity) {
        deadlines = Arrays.copyOf(deadlines, capacity);
        numbers = Arrays.copyOf(numbers, capacity);
        handles = Arrays.copyOf(handles, capacity);
    }
}
