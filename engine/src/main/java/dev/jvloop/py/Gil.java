package dev.jvloop.py;

import dev.jvloop.capi.Ceval;

/** The one place that gives up the GIL and takes it again. Never called while holding a Java lock. */
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
}
