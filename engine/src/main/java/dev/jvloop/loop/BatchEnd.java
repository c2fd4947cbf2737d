package dev.jvloop.loop;

/**
 * What transports put off to the end of a batch, the callbacks that one iteration runs: sending what all but the first
 * of them write.
 *
 * <p>A peer on this machine that has nothing to do is woken by each send, at 3 to 6 us of the sender's CPU time, and
 * sleeps again before the next one. Sent together, the answers of a batch wake it once: a request to an aiohttp server
 * with 100 busy connections takes 28 us of CPU time instead of 34. The first write of a batch is sent at once, so that
 * its peer has work meanwhile, and a program with little to do never waits. No write waits for longer than
 * {@link #LONGEST_WAIT_NANOS} and the callback that runs then. Guarded by the GIL.
 */
public final class BatchEnd {
    /** As long as 50 requests take a fast HTTP server: longer gains it nothing, 0.2 ms costs 3 to 7 %. */
    private static final long LONGEST_WAIT_NANOS = 1_000_000;

    private final DeferredActions actions = new DeferredActions();
    private boolean hasMore;
    private boolean hasWritten;
    private long waitsSinceNanos;

    /** The loop begins to run {@code count} callbacks. */
    void begin(int count) {
        hasMore = count > 1;
        hasWritten = false;
    }

    /** Whether what a callback is about to write may wait: there is a batch, and this is not the first write in it. */
    public boolean takesWrite() {
        boolean takes = hasMore && hasWritten;
        hasWritten = true;
        return takes;
    }

    /** Has {@code action} run at the end of the batch, or earlier. */
    public void await(Runnable action) {
        if (actions.isEmpty()) {
            waitsSinceNanos = System.nanoTime();
        }
        actions.add(action);
    }

    /**
     * Called by the loop between two callbacks.
     *
     * @throws dev.jvloop.py.PythonError SystemExit or KeyboardInterrupt; the other actions are run next time then
     */
    void callbackEnded() {
        if (!actions.isEmpty() && System.nanoTime() - waitsSinceNanos >= LONGEST_WAIT_NANOS) {
            actions.run();
        }
    }

    /** Called by the loop behind the last callback; throws as {@link #callbackEnded} does. */
    void reached() {
        hasMore = false;
        actions.run();
    }
}
