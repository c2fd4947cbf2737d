package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** The GIL. The functions of ceval.h, under C's names. */
public final class Ceval {
    private static final CFunction PYEVAL_SAVETHREAD = Downcall.plain("PyEval_SaveThread");
    private static final CFunction PYEVAL_RESTORETHREAD = Downcall.plain("PyEval_RestoreThread");

    /** Bound on first use, on 3.12 and 3.13 alone. */
    private static final class Recursion {
        private static final CFunction PY_ENTERRECURSIVECALL = Downcall.critical("Py_EnterRecursiveCall");
        private static final CFunction PY_LEAVERECURSIVECALL = Downcall.critical("Py_LeaveRecursiveCall");
    }

    private Ceval() {}

    public static long PyEval_SaveThread() {
        return PYEVAL_SAVETHREAD.call();
    }

    public static long PyEval_RestoreThread(long state) {
        return PYEVAL_RESTORETHREAD.call(state);
    }

    public static int Py_EnterRecursiveCall(long where) {
        return (int) Recursion.PY_ENTERRECURSIVECALL.call(where);
    }

    public static void Py_LeaveRecursiveCall() {
        Recursion.PY_LEAVERECURSIVECALL.call();
    }
}
