package dev.jvloop.py;

import dev.jvloop.capi.Ceval;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.capi.ThreadStates;
import dev.jvloop.capi.Version;
import dev.jvloop.foreign.Memory;

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

    /** What {@link #without} runs. */
    @FunctionalInterface
    public interface Action<T, E extends Exception> {
        T run() throws E;
    }

    /** Runs something without the GIL. */
    public static <T, E extends Exception> T without(Action<T, E> action) throws E {
        long state = release();
        try {
            return action.run();
        } finally {
            acquire(state);
        }
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

    /**
     * Takes the GIL on a thread that may be in Python already, may have been, or may never have been; for Java programs
     * that started Python. The result goes to {@link #leave} on the same thread.
     */
    public static int enter() {
        return ThreadStates.PyGILState_Ensure();
    }

    /** Undoes {@link #enter}. */
    public static void leave(int before) {
        ThreadStates.PyGILState_Release(before);
    }

    /** The state of this thread, which has the GIL. */
    static long threadState() {
        return ThreadStates.PyThreadState_Get();
    }

    /** Whether this thread has the GIL. */
    public static boolean isHeld() {
        return ThreadStates.PyGILState_Check() != 0;
    }

    /** Whether Python knows this thread, so that {@link #enter} makes no thread state for it. */
    public static boolean isKnownThread() {
        return ThreadStates.PyGILState_GetThisThreadState() != 0;
    }

    /**
     * Makes a thread state for this thread, which {@link #enter} finds from then on: also that of an extension module.
     *
     * @return for {@link #deleteStateOfEndedThread}
     */
    public static long newThreadState() {
        ThreadStates.PyGILState_Ensure();
        return Ceval.PyEval_SaveThread();
    }

    /**
     * {@link #newThreadState} for a thread with a small stack: CPython's C functions may recurse so deep in it and no
     * deeper, then they raise RecursionError. Where {@link Version#COUNTS_C_RECURSION}; calls of Python functions by
     * Python functions are counted apart, and as ever.
     */
    public static long newThreadState(int cRecursionLimit) {
        ThreadStates.PyGILState_Ensure();
        // Nothing says how deep a thread is allowed to go: 1,500 or 10,000, it depends on the version and the
        // processor.
        // So all is used up, some is given back, and the rest stays in use for the state's life.
        int used = 0;
        try (Scratch.Piece where = Scratch.take(1)) {
            Memory.putByte(where.address(), (byte) 0);
            while (Ceval.Py_EnterRecursiveCall(where.address()) == 0) {
                used++;
            }
        }
        PyErrors.PyErr_Clear();
        for (int i = 0; i < Math.min(used, cRecursionLimit); i++) {
            Ceval.Py_LeaveRecursiveCall();
        }
        return Ceval.PyEval_SaveThread();
    }

    /**
     * Deletes the thread state of a thread that has ended.
     *
     * <p>From CPython 3.12 on that makes the calling thread unknown to {@code PyGILState_Ensure}: it forgets the calling
     * thread's state where it means that of the ended one. So the caller is a thread that has no state but the one made
     * and deleted here. Free-threaded Python has a thread's memory in its state, which only that thread may give back:
     * there the state stays until the interpreter ends.
     */
    public static void deleteStateOfEndedThread(long threadState) {
        if (Version.FREE_THREADED) {
            return;
        }
        ThreadStates.PyGILState_Ensure();
        long own = ThreadStates.PyGILState_GetThisThreadState();
        ThreadStates.PyThreadState_Clear(threadState);
        ThreadStates.PyThreadState_Delete(threadState);
        ThreadStates.PyThreadState_Clear(own);
        ThreadStates.PyThreadState_DeleteCurrent();
    }

    /** The number by which {@link #raiseInThread} knows this thread. */
    public static long threadIdent() {
        return ThreadStates.PyThread_get_thread_ident();
    }

    /** Has a thread raise an exception of this class at its next instruction of Python code. With the GIL. */
    public static void raiseInThread(long threadIdent, long exceptionClass) {
        ThreadStates.PyThreadState_SetAsyncExc(threadIdent, exceptionClass);
    }
}
