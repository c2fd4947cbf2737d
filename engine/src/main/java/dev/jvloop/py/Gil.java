package dev.jvloop.py;

import dev.jvloop.capi.Ceval;
import dev.jvloop.capi.Version;

/**
 * The one place that gives up the GIL and takes it again. Never called while holding a Java lock.
 *
 * <p>Free-threaded Python has the same two calls: a thread that has released may be stopped by the garbage collector,
 * and one that has not is waited for.
 */
public final class Gil {
    private Gil() {}

    /** Releases the GIL; the result goes to {@link #acquire} on the same thread. */
    public static long release() {
        return Ceval.PyEval_SaveThread();
    }

    /** Waits for the GIL. */
    public static void acquire(long threadState) {
        Ceval.PyEval_RestoreThread(threadState);
    }

    /**
     * Lets free-threaded Python's garbage collector stop this thread. Python code does so by itself; a thread that is
     * long in Java, with nothing but C functions to call, would keep all others waiting.
     */
    public static void checkpoint() {
        if (Version.FREE_THREADED) {
            acquire(release());
        }
    }
}
