package dev.jvloop.py;

import dev.jvloop.capi.Contexts;
import dev.jvloop.foreign.Memory;

/** Entering and leaving a {@code contextvars.Context} around a call. */
public final class ContextSwitch {
    /** Where a context says that some thread is in it; 0 if that is not known. */
    static final long ENTERED = Namespace.integer("offset.context_entered");

    private ContextSwitch() {}

    /**
     * Makes a context the current one.
     *
     * @return false, with RuntimeError set, if some thread is in it already
     */
    public static boolean enter(long context) {
        if (ENTERED != 0 && Memory.getInt(context + ENTERED) != 0) {
            PyErr.raiseContextInUse(context);
            return false;
        }
        return (int) Contexts.PyContext_Enter(context) == 0;
    }

    /** Leaves the context that was entered last. */
    public static void leave(long context) {
        Contexts.PyContext_Exit(context);
    }
}
