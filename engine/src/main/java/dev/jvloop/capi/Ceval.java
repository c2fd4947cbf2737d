package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** The GIL. The functions of ceval.h, under C's names. */
public final class Ceval {
    private static final MethodHandle PYEVAL_SAVETHREAD = Downcall.plain("PyEval_SaveThread");
    private static final MethodHandle PYEVAL_RESTORETHREAD = Downcall.plain("PyEval_RestoreThread");

    private Ceval() {}

    public static long PyEval_SaveThread() {
        try {
            return (long) PYEVAL_SAVETHREAD.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyEval_RestoreThread(long state) {
        try {
            return (long) PYEVAL_RESTORETHREAD.invokeExact(state, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
