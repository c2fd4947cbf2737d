package dev.jvloop.loop;

/**
 * What transports put off to the end of the callback that runs: joining what it writes in several pieces.
 *
 * <p>A callback is here what runs between two moments at which the loop could do something else: a handle, or what
 * one event makes a transport call. Guarded by the GIL.
 */
public final class CallbackEnd {
    private final DeferredActions actions = new DeferredActions();
    private long callbackNumber;

    /** How many callbacks have ended: two moments with the same number are in the same callback. */
    public long callbackNumber() {
        return callbackNumber;
    }

    /** Has {@code action} run when the callback that runs now has ended. */
    public void await(Runnable action) {
        actions.add(action);
    }

    /**
     * Called by the loop, and by transports, where a callback has ended.
     *
     * @throws dev.jvloop.py.PythonError SystemExit or KeyboardInterrupt; the others are called next time then
     */
    public void reached() {
        callbackNumber++;
        actions.run();
    }
}
