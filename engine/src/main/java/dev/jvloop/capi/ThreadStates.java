package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** Thread states, and a foreign thread's way into Python. The functions of pystate.h, under C's names. */
public final class ThreadStates {
    private static final CFunction PYGILSTATE_ENSURE = Downcall.plain("PyGILState_Ensure");
    private static final CFunction PYGILSTATE_RELEASE = Downcall.plain("PyGILState_Release");
    private static final CFunction PYGILSTATE_GETTHISTHREADSTATE = Downcall.plain("PyGILState_GetThisThreadState");
    private static final CFunction PYGILSTATE_CHECK = Downcall.plain("PyGILState_Check");
    private static final CFunction PYTHREADSTATE_GET = Downcall.critical("PyThreadState_Get");
    private static final CFunction PYTHREADSTATE_CLEAR = Downcall.plain("PyThreadState_Clear");
    private static final CFunction PYTHREADSTATE_DELETE = Downcall.plain("PyThreadState_Delete");
    private static final CFunction PYTHREADSTATE_DELETECURRENT = Downcall.plain("PyThreadState_DeleteCurrent");
    private static final CFunction PYTHREADSTATE_SETASYNCEXC = Downcall.plain("PyThreadState_SetAsyncExc");
    private static final CFunction PYTHREAD_GET_THREAD_IDENT = Downcall.plain("PyThread_get_thread_ident");

    private ThreadStates() {}

    public static int PyGILState_Ensure() {
        return (int) PYGILSTATE_ENSURE.call();
    }

    public static int PyGILState_Check() {
        return (int) PYGILSTATE_CHECK.call();
    }

    public static void PyGILState_Release(int before) {
        PYGILSTATE_RELEASE.call(before);
    }

    public static long PyGILState_GetThisThreadState() {
        return PYGILSTATE_GETTHISTHREADSTATE.call();
    }

    public static long PyThreadState_Get() {
        return PYTHREADSTATE_GET.call();
    }

    public static void PyThreadState_Clear(long state) {
        PYTHREADSTATE_CLEAR.call(state);
    }

    public static void PyThreadState_Delete(long state) {
        PYTHREADSTATE_DELETE.call(state);
    }

    public static void PyThreadState_DeleteCurrent() {
        PYTHREADSTATE_DELETECURRENT.call();
    }

    public static int PyThreadState_SetAsyncExc(long threadIdent, long exception) {
        return (int) PYTHREADSTATE_SETASYNCEXC.call(threadIdent, exception);
    }

    public static long PyThread_get_thread_ident() {
        return PYTHREAD_GET_THREAD_IDENT.call();
    }
}
