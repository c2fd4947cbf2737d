package dev.jvloop.loop;

import dev.jvloop.linux.Poller;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What Java threads, which need not be in Python, leave for a loop to run between its callbacks.
 *
 * <p>Nobody takes a lock to leave something, except to wake a loop that sleeps.
 */
public final class Inbox {
    /** Something for the loop's thread, which has the GIL. Exactly one of the two methods is called. */
    public interface Entry {
        /**
         * Runs between two callbacks of the loop.
         *
         * @throws dev.jvloop.py.PythonError SystemExit or KeyboardInterrupt, which end the loop's run
         */
        void run();

        /** The loop was closed before it came to it. In the thread that closed the loop. */
        void reject();
    }

    /** So many are run before the loop looks for I/O and runs its callbacks. */
    private static final int LIMIT = 1024;

    private final Queue<Entry> entries = new ConcurrentLinkedQueue<>();
    private final WakeUp wakeUp;
    private volatile boolean closed;

    Inbox(Poller poller) {
        wakeUp = new WakeUp(poller);
    }

    /**
     * Leaves an entry. Any thread.
     *
     * @return false if the loop is closed: the entry was not taken
     */
    public boolean put(Entry entry) {
        entries.add(entry);
        // The entry first, then the look at the loop; fallAsleep() and close() do it the other way round.
        if (closed) {
            // What cannot be taken back was rejected by close().
            return !entries.remove(entry);
        }
        wakeUp.wake();
        return true;
    }

    /**
     * Says that the loop is about to wait: from here on {@link #put} wakes it.
     *
     * @return false if there is something to run instead
     */
    boolean fallAsleep() {
        wakeUp.setAsleep(true);
        if (entries.isEmpty()) {
            return true;
        }
        wakeUp.setAsleep(false);
        return false;
    }

    /** Says whether somebody waits, without a look at what there is. */
    void setAsleep(boolean value) {
        wakeUp.setAsleep(value);
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    /** How many entries there are, or were a moment ago: counts them. Any thread. */
    public int size() {
        return entries.size();
    }

    /** Runs what there is, up to a limit. */
    void run(CallbackEnd callbackEnd) {
        Entry entry;
        for (int i = 0; i < LIMIT && (entry = entries.poll()) != null; i++) {
            entry.run();
            callbackEnd.reached();
        }
    }

    /** Takes nothing more, and wakes nobody: the descriptors are about to be closed. */
    void close() {
        wakeUp.close();
        closed = true;
        Entry entry;
        while ((entry = entries.poll()) != null) {
            entry.reject();
        }
    }
}
