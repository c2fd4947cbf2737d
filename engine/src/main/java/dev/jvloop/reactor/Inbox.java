package dev.jvloop.reactor;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;

/**
 * What threads have to agree on about a reactor: the tasks that were left for it, whether it sleeps and has to be woken,
 * which thread has it, and whether it is closed.
 *
 * <p>Its lock is held for a few instructions, and for one write to an eventfd if the reactor sleeps. So nobody writes to
 * descriptors that are being closed.
 */
final class Inbox {
    private final Runnable waker;
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private boolean asleep;
    private boolean woken;
    private Thread holderOrNull;
    private volatile boolean closed;
    private boolean released;

    /** @param waker ends a wait of the reactor's; called when it sleeps, or is about to, and its descriptors are open */
    Inbox(Runnable waker) {
        this.waker = waker;
    }

    // ---- any thread

    synchronized void put(Runnable task) {
        if (closed) {
            throw new RejectedExecutionException("the reactor is closed");
        }
        tasks.add(task);
        wakeSleeper();
    }

    /** Ends a sleep, or the next one. */
    synchronized void wake() {
        woken = !wakeSleeper();
    }

    private boolean wakeSleeper() {
        boolean was = asleep;
        if (was) {
            asleep = false;
            waker.run();
        }
        return was;
    }

    boolean isClosed() {
        return closed;
    }

    /**
     * Takes nothing more.
     *
     * @return whether the caller has to give the reactor's descriptors back; else it is another's turn, or was done
     */
    synchronized boolean close() {
        closed = true;
        tasks.clear();
        wakeSleeper();
        return isToBeReleased();
    }

    private boolean isToBeReleased() {
        boolean first = closed && holderOrNull == null && !released;
        released |= first;
        return first;
    }

    // ---- one thread at a time

    /**
     * Takes the reactor for the calling thread.
     *
     * @return false if the thread has it already
     * @throws WrongThreadException if another thread has it
     */
    synchronized boolean enter() {
        Thread thread = Thread.currentThread();
        if (holderOrNull == thread) {
            return false;
        }
        if (holderOrNull != null) {
            throw new WrongThreadException("thread \"" + holderOrNull.getName() + "\" has this reactor");
        }
        holderOrNull = thread;
        return true;
    }

    /** @return as {@link #close} */
    synchronized boolean leave() {
        holderOrNull = null;
        return isToBeReleased();
    }

    /**
     * Begins a poll.
     *
     * @param wants whether to wait, if there is nothing to do
     * @return whether to wait: from here on the reactor is woken
     */
    synchronized boolean fallAsleep(boolean wants) {
        asleep = wants && tasks.isEmpty() && !woken && !closed;
        woken = false;
        return asleep;
    }

    synchronized void noteAwake() {
        asleep = false;
    }

    /** Moves the tasks, in their order. */
    synchronized void moveTo(Queue<Runnable> ready) {
        ready.addAll(tasks);
        tasks.clear();
    }
}
