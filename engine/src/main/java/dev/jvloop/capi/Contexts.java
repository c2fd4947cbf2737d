package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** contextvars.Context. The functions of context.h, under C's names. */
public final class Contexts {
    private static final MethodHandle PYCONTEXT_COPYCURRENT =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyContext_CopyCurrent", 0);
    private static final MethodHandle PYCONTEXT_COPY =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyContext_Copy", 1);
    private static final MethodHandle PYCONTEXT_ENTER =
            Downcall.criticalIf(Version.CONTEXT_SWITCH_RUNS_NO_PYTHON, "PyContext_Enter", 1);
    private static final MethodHandle PYCONTEXT_EXIT =
            Downcall.criticalIf(Version.CONTEXT_SWITCH_RUNS_NO_PYTHON, "PyContext_Exit", 1);

    private Contexts() {}

    public static long PyContext_CopyCurrent() {
        try {
            return (long) PYCONTEXT_COPYCURRENT.invokeExact();
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyContext_Copy(long context) {
        try {
            return (long) PYCONTEXT_COPY.invokeExact(context);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyContext_Enter(long context) {
        try {
            return (long) PYCONTEXT_ENTER.invokeExact(context);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyContext_Exit(long context) {
        try {
            return (long) PYCONTEXT_EXIT.invokeExact(context);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
