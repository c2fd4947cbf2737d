package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Thread states, and a foreign thread's way into Python. The functions of pystate.h, under C's names. */
public final class ThreadStates {
    private static final MethodHandle PYGILSTATE_ENSURE = Downcall.plain("PyGILState_Ensure");
    private static final MethodHandle PYGILSTATE_RELEASE = Downcall.plain("PyGILState_Release");
    private static final MethodHandle PYGILSTATE_GETTHISTHREADSTATE = Downcall.plain("PyGILState_GetThisThreadState");
    private static final MethodHandle PYGILSTATE_CHECK = Downcall.plain("PyGILState_Check");
    private static final MethodHandle PYTHREADSTATE_CLEAR = Downcall.plain("PyThreadState_Clear");
    private static final MethodHandle PYTHREADSTATE_DELETE = Downcall.plain("PyThreadState_Delete");
    private static final MethodHandle PYTHREADSTATE_DELETECURRENT = Downcall.plain("PyThreadState_DeleteCurrent");
    private static final MethodHandle PYTHREADSTATE_SETASYNCEXC = Downcall.plain("PyThreadState_SetAsyncExc");
    private static final MethodHandle PYTHREAD_GET_THREAD_IDENT = Downcall.plain("PyThread_get_thread_ident");

    private ThreadStates() {}

    public static int PyGILState_Ensure() {
        try {
            return (int) (long) PYGILSTATE_ENSURE.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int PyGILState_Check() {
        try {
            return (int) (long) PYGILSTATE_CHECK.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void PyGILState_Release(int before) {
        try {
            long _ = (long) PYGILSTATE_RELEASE.invokeExact((long) before, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyGILState_GetThisThreadState() {
        try {
            return (long) PYGILSTATE_GETTHISTHREADSTATE.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void PyThreadState_Clear(long state) {
        try {
            long _ = (long) PYTHREADSTATE_CLEAR.invokeExact(state, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void PyThreadState_Delete(long state) {
        try {
            long _ = (long) PYTHREADSTATE_DELETE.invokeExact(state, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void PyThreadState_DeleteCurrent() {
        try {
            long _ = (long) PYTHREADSTATE_DELETECURRENT.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int PyThreadState_SetAsyncExc(long threadIdent, long exception) {
        try {
            return (int) (long) PYTHREADSTATE_SETASYNCEXC.invokeExact(threadIdent, exception, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyThread_get_thread_ident() {
        try {
            return (long) PYTHREAD_GET_THREAD_IDENT.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
