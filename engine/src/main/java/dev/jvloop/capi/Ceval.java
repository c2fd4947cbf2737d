package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** The GIL. The functions of ceval.h, under C's names. */
public final class Ceval {
    private static final MethodHandle PYEVAL_SAVETHREAD = Downcall.plain("PyEval_SaveThread");
    private static final MethodHandle PYEVAL_RESTORETHREAD = Downcall.plain("PyEval_RestoreThread");

    /** Bound on first use, on 3.12 and 3.13 alone. */
    private static final class Recursion {
        private static final MethodHandle PY_ENTERRECURSIVECALL = Downcall.critical("Py_EnterRecursiveCall");
        private static final MethodHandle PY_LEAVERECURSIVECALL = Downcall.critical("Py_LeaveRecursiveCall");
    }

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

    public static int Py_EnterRecursiveCall(long where) {
        try {
            return (int) (long) Recursion.PY_ENTERRECURSIVECALL.invokeExact(where, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void Py_LeaveRecursiveCall() {
        try {
            long _ = (long) Recursion.PY_LEAVERECURSIVECALL.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
