package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** contextvars.Context. The functions of context.h, under C's names. */
public final class Contexts {
    private static final MethodHandle PYCONTEXT_COPYCURRENT =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyContext_CopyCurrent");
    private static final MethodHandle PYCONTEXT_COPY =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyContext_Copy");
    private static final MethodHandle PYCONTEXT_ENTER =
            Downcall.criticalIf(Version.CONTEXT_SWITCH_RUNS_NO_PYTHON, "PyContext_Enter");
    private static final MethodHandle PYCONTEXT_EXIT =
            Downcall.criticalIf(Version.CONTEXT_SWITCH_RUNS_NO_PYTHON, "PyContext_Exit");

    private Contexts() {}

    public static long PyContext_CopyCurrent() {
        try {
            return (long) PYCONTEXT_COPYCURRENT.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyContext_Copy(long context) {
        try {
            return (long) PYCONTEXT_COPY.invokeExact(context, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyContext_Enter(long context) {
        try {
            return (long) PYCONTEXT_ENTER.invokeExact(context, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyContext_Exit(long context) {
        try {
            return (long) PYCONTEXT_EXIT.invokeExact(context, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
