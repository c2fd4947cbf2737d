package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** contextvars.Context. The functions of context.h, under C's names. */
public final class Contexts {
    private static final CFunction PYCONTEXT_NEW =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyContext_New");
    private static final CFunction PYCONTEXT_COPYCURRENT =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyContext_CopyCurrent");
    private static final CFunction PYCONTEXT_COPY =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyContext_Copy");
    private static final CFunction PYCONTEXT_ENTER =
            Downcall.criticalIf(Version.CONTEXT_SWITCH_RUNS_NO_PYTHON, "PyContext_Enter");
    private static final CFunction PYCONTEXT_EXIT =
            Downcall.criticalIf(Version.CONTEXT_SWITCH_RUNS_NO_PYTHON, "PyContext_Exit");

    private Contexts() {}

    public static long PyContext_New() {
        return PYCONTEXT_NEW.call();
    }

    public static long PyContext_CopyCurrent() {
        return PYCONTEXT_COPYCURRENT.call();
    }

    public static long PyContext_Copy(long context) {
        return PYCONTEXT_COPY.call(context);
    }

    public static long PyContext_Enter(long context) {
        return PYCONTEXT_ENTER.call(context);
    }

    public static long PyContext_Exit(long context) {
        return PYCONTEXT_EXIT.call(context);
    }
}
