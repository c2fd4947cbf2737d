package dev.jvloop.timer;

import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * Pending timers: a heap of (deadline, insertion number, entry).
 *
 * <p>Timers of one deadline leave in the order they came. Each has a node, a small number that it keeps until it leaves.
 * By it a timer is cancelled: what waited is let go at once, and the heap keeps an empty node, until more than half of
 * its nodes are empty and it is rebuilt without them; so each cancel pays O(1) on average. What was cancelled does not
 * wait for that, since among 100,000 live timers the cancelled ones are as many again: each an object that the
 * processor's cache has no room for, and too many new objects at once set off Python's cyclic collector, which then
 * took half of the time.
 *
 * <p>With four children a parent the heap has half the levels of a binary one, and a parent's children lie in one or two
 * cache lines. An entry is any number but 0: a Python object's address, which the heap then owns a reference to, or an
 * index. Not thread-safe.
 */
public final class TimerHeap {
    /** Told that an entry has another node now. */
    @FunctionalInterface
    public interface NodeChange {
        void changed(long entry, int node);
    }

    private static final int INITIAL_CAPACITY = 64;
    private static final int COMPACT_ABOVE = 100;
    /** Programs that have so many timers again and again need not make the arrays anew. */
    private static final int SHRINK_ABOVE = 16 * 1024;

    private static final int LOG_CHILDREN = 2;
    private static final int CHILDREN = 1 << LOG_CHILDREN;
    private static final int NONE = -1;
    /** asyncio's longest wait in its selector: a day. Longer ones only repeat it. */
    private static final long MAX_WAIT_NANOS = 24L * 3600 * 1_000_000_000L;

    /** By place in the heap. */
    private long[] deadlines = new long[INITIAL_CAPACITY];

    private int[] nodes = new int[INITIAL_CAPACITY];
    private int size;
    private int cancelled;

    /** By node; 0 where it is empty. */
    private long[] entries = new long[INITIAL_CAPACITY];
    /** By node; of a free one the next free node. */
    private long[] numbers = new long[INITIAL_CAPACITY];

    private int firstFreeNode = NONE;
    private int usedNodes;
    private long nextNumber;

    /**
     * Adds an entry, which is not 0.
     *
     * @return its node
     */
    public int push(long deadlineNanos, long ownedEntry) {
        return push(deadlineNanos, nextNumber++, ownedEntry);
    }

    /** {@link #push} with a number of one's own, which orders the timers of one deadline. */
    public int push(long deadlineNanos, long number, long ownedEntry) {
        int node = newNode();
        entries[node] = ownedEntry;
        numbers[node] = number;
        size++;
        siftUp(size - 1, deadlineNanos, node);
        return node;
    }

    /** Whether no timer is pending. */
    public boolean isEmpty() {
        return size == cancelled;
    }

    /** How many nodes are in the heap, with the empty ones. */
    public int size() {
        return size;
    }

    /** How many were not cancelled. */
    public int waitingCount() {
        return size - cancelled;
    }

    /** The highest number of nodes there were, or more. */
    public int nodeCapacity() {
        return entries.length;
    }

    /** The earliest deadline. A timer must be pending. */
    public long firstDeadline() {
        dropEmpty();
        return deadlines[0];
    }

    /** How long to wait for the earliest deadline: at least 0, and at most a day. A timer must be pending. */
    public long nanosUntilFirst(long now) {
        long first = firstDeadline();
        if (first <= now) {
            return 0;
        }
        long nanos = first - now;
        return nanos < 0 ? MAX_WAIT_NANOS : Math.min(nanos, MAX_WAIT_NANOS);
    }

    /** Removes the first timer; gives its owned entry. A timer must be pending. */
    public long pop() {
        dropEmpty();
        long ownedEntry = entries[nodes[0]];
        removeFirst();
        return ownedEntry;
    }

    /** Whether an entry waits under this node. */
    public boolean has(int node, long entry) {
        return node >= 0 && node < usedNodes && entries[node] == entry;
    }

    /** Takes out the entry of a node; it is the caller's now. */
    public void cancel(int node) {
        entries[node] = 0;
        cancelled++;
        if (size > COMPACT_ABOVE && cancelled > size / 2) {
            compact();
        }
    }

    public void forEach(LongConsumer action) {
        for (int i = 0; i < size; i++) {
            long entry = entries[nodes[i]];
            if (entry != 0) {
                action.accept(entry);
            }
        }
    }

    private void dropEmpty() {
        while (entries[nodes[0]] == 0) {
            cancelled--;
            removeFirst();
        }
    }

    private void removeFirst() {
        freeNode(nodes[0]);
        size--;
        if (size > 0) {
            siftDown(0, deadlines[size], nodes[size]);
        }
    }

    /** Rebuilds the heap without the empty nodes. */
    private void compact() {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            int node = nodes[i];
            if (entries[node] != 0) {
                deadlines[kept] = deadlines[i];
                nodes[kept] = node;
                kept++;
            }
        }
        size = kept;
        cancelled = 0;
        freeEmptyNodes();
        for (int i = parentOf(size - 1); i >= 0; i--) {
            siftDown(i, deadlines[i], nodes[i]);
        }
    }

    // ---- nodes ----

    private int newNode() {
        if (firstFreeNode != NONE) {
            int node = firstFreeNode;
            firstFreeNode = (int) numbers[node];
            return node;
        }
        if (usedNodes == entries.length) {
            resize(usedNodes * 2);
        }
        return usedNodes++;
    }

    private void freeNode(int node) {
        entries[node] = 0;
        numbers[node] = firstFreeNode;
        firstFreeNode = node;
    }

    /** Rebuilds the list of free nodes in their order: what is used one after the other then lies side by side. */
    private void freeEmptyNodes() {
        firstFreeNode = NONE;
        for (int node = usedNodes - 1; node >= 0; node--) {
            if (entries[node] == 0) {
                freeNode(node);
            }
        }
    }

    /** Whether the arrays are far larger than they need to be: time for {@link #shrink}. */
    public boolean wantsToShrink() {
        return entries.length > SHRINK_ABOVE && size < entries.length / 8;
    }

    /** Makes the arrays as small as they may be. The nodes become the first ones, in the order of the heap. */
    public void shrink(NodeChange change) {
        compact();
        long[] formerEntries = entries.clone();
        long[] formerNumbers = numbers.clone();
        for (int i = 0; i < size; i++) {
            entries[i] = formerEntries[nodes[i]];
            numbers[i] = formerNumbers[nodes[i]];
            nodes[i] = i;
        }
        firstFreeNode = NONE;
        usedNodes = size;
        resize(Math.max(INITIAL_CAPACITY, 4 * size));
        for (int i = 0; i < size; i++) {
            change.changed(entries[i], i);
        }
    }

    private void resize(int capacity) {
        deadlines = Arrays.copyOf(deadlines, capacity);
        nodes = Arrays.copyOf(nodes, capacity);
        entries = Arrays.copyOf(entries, capacity);
        numbers = Arrays.copyOf(numbers, capacity);
    }

    // ---- the heap ----

    private void siftUp(int from, long deadline, int node) {
        int i = from;
        while (i > 0) {
            int parent = parentOf(i);
            if (!isBefore(deadline, node, parent)) {
                break;
            }
            put(i, deadlines[parent], nodes[parent]);
            i = parent;
        }
        put(i, deadline, node);
    }

    private void siftDown(int from, long deadline, int node) {
        int i = from;
        while (true) {
            int child = firstChildOrNone(i);
            if (child == NONE || isBefore(deadline, node, child)) {
                break;
            }
            put(i, deadlines[child], nodes[child]);
            i = child;
        }
        put(i, deadline, node);
    }

    /** Which child of a place leaves first. */
    private int firstChildOrNone(int parent) {
        int first = CHILDREN * parent + 1;
        int end = Math.min(first + CHILDREN, size);
        if (first >= end) {
            return NONE;
        }
        for (int i = first + 1; i < end; i++) {
            if (isBefore(deadlines[i], nodes[i], first)) {
                first = i;
            }
        }
        return first;
    }

    private static int parentOf(int place) {
        return (place - 1) >> LOG_CHILDREN;
    }

    private boolean isBefore(long deadline, int node, int other) {
        return deadline < deadlines[other] || deadline == deadlines[other] && numbers[node] < numbers[nodes[other]];
    }

    private void put(int at, long deadline, int node) {
        deadlines[at] = deadline;
        nodes[at] = node;
    }
}
