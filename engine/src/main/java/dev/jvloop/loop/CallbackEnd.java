package dev.jvloop.loop;

import java.util.Arrays;

/**
 * What transports put off to the end of the callback that runs: joining what it writes in several pieces.
 *
 * <p>A callback is here what runs between two moments at which the loop could do something else: a handle, or what
 * one event makes a transport call. Guarded by the GIL.
 */
public final class CallbackEnd {
    /** Has something to do when a callback has ended. */
    public interface Listener {
        /** Called once for each {@link #await}. May await again. */
        void callbackEnded();
    }

    private Listener[] listeners = new Listener[4];
    private int count;
    private long callbackNumber;

    /** How many callbacks have ended: two moments with the same number are in the same callback. */
    public long callbackNumber() {
        return callbackNumber;
    }

    /** Has {@code listener} called when the callback that runs now has ended. */
    public void await(Listener listener) {
        if (count == listeners.length) {
            listeners = Arrays.copyOf(listeners, count * 2);
        }
        listeners[count++] = listener;
    }

    /**
     * Called by the loop, and by transports, where a callback has ended.
     *
     * @throws dev.jvloop.py.PythonError SystemExit or KeyboardInterrupt; the others are called next time then
     */
    public void reached() {
        callbackNumber++;
        if (count != 0) {
            callListeners();
        }
    }

    private void callListeners() {
        int called = 0;
        try {
            while (called < count) {
                listeners[called++].callbackEnded();
            }
        } finally {
            int left = count - called;
            System.arraycopy(listeners, called, listeners, 0, left);
            Arrays.fill(listeners, left, count, null);
            count = left;
        }
    }
}
