package dev.jvloop.host;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The elements of a channel, and who waits for one or for room. Any thread; nobody takes a lock.
 *
 * <p>An element that is added wakes one of those who wait for elements, and one that is taken one of those who wait for
 * room. Who is woken tries again, and may find that another one was faster. So no element belongs to somebody who waits,
 * and may have ceased to; who gives up after it was woken wakes the next instead.
 */
final class ChannelElements {
    /** Somebody who waits. */
    interface Waiter {
        /** Ends the wait, once; false if there is nobody any more. Any thread. */
        boolean wake();
    }

    private static final long CLOSED = 1L << 62;

    private final int capacity;
    /** Stands for null among the elements. */
    private final Object nullElement = new Object();
    /** How many there are, those that are about to be added too; and whether the channel is closed. */
    private final AtomicLong state = new AtomicLong();

    private final Queue<Object> elements = new ConcurrentLinkedQueue<>();
    final Queue<Waiter> senders = new ConcurrentLinkedQueue<>();
    final Queue<Waiter> receivers = new ConcurrentLinkedQueue<>();

    ChannelElements(int capacity) {
        this.capacity = capacity;
    }

    boolean isClosed() {
        return state.get() >= CLOSED;
    }

    /** Whether the channel is closed, and has no element any more. */
    boolean hasEnded() {
        return state.get() == CLOSED;
    }

    /** Whether {@link #add} would fail. */
    boolean isFull() {
        return state.get() >= capacity;
    }

    /** Adds an element; false if there is no room, or the channel is closed. */
    boolean add(Object elementOrNull) {
        long before;
        do {
            before = state.get();
            if (before >= capacity) {
                return false;
            }
        } while (!state.compareAndSet(before, before + 1));
        elements.add(elementOrNull == null ? nullElement : elementOrNull);
        wakeOne(receivers);
        return true;
    }

    /** What a taken element is, which may have been null. */
    Object value(Object taken) {
        return taken == nullElement ? null : taken;
    }

    /** Takes an element, for {@link #value}; null if there is none now. */
    Object pollOrNull() {
        Object taken = elements.poll();
        if (taken == null) {
            return null;
        }
        if (state.decrementAndGet() == CLOSED) {
            // Whoever saw that one was still to come.
            wakeAll(receivers);
        }
        wakeOne(senders);
        return taken;
    }

    void close() {
        long before = state.getAndUpdate(now -> now | CLOSED);
        if (before < CLOSED) {
            wakeAll(senders);
            wakeAll(receivers);
        }
    }

    static void wakeOne(Queue<Waiter> waiters) {
        Waiter waiter;
        do {
            waiter = waiters.poll();
        } while (waiter != null && !waiter.wake());
    }

    private static void wakeAll(Queue<Waiter> waiters) {
        Waiter waiter;
        while ((waiter = waiters.poll()) != null) {
            waiter.wake();
        }
    }

    /** Says that somebody does not wait any more, and has not tried again since it was woken, if it was. */
    static void giveUp(Queue<Waiter> waiters, Waiter waiter) {
        if (!waiters.remove(waiter)) {
            wakeOne(waiters);
        }
    }
}
