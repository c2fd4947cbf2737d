package dev.jvloop.loop;

import dev.jvloop.linux.Poller;

/**
 * Whether a loop waits, and its waking by threads that need not be in Python: once for each wait, and not once the loop's
 * descriptors are closed.
 */
final class WakeUp {
    private final Poller poller;
    private volatile boolean asleep;
    private boolean closed;

    WakeUp(Poller poller) {
        this.poller = poller;
    }

    /** Ends the loop's wait. Any thread. */
    void wake() {
        if (asleep) {
            wakeOnce();
        }
    }

    private synchronized void wakeOnce() {
        if (asleep && !closed) {
            asleep = false;
            poller.wakeup();
        }
    }

    /** Says whether the loop waits. */
    void setAsleep(boolean value) {
        asleep = value;
    }

    /** From now on nobody is woken: the descriptors are about to be closed. */
    synchronized void close() {
        closed = true;
    }
}
