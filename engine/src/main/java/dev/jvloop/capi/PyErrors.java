package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** The error indicator. The functions of pyerrors.h, under C's names. */
public final class PyErrors {
    private static final CFunction PYERR_OCCURRED = Downcall.critical("PyErr_Occurred");
    private static final CFunction PYERR_SETSTRING = Downcall.plain("PyErr_SetString");
    private static final CFunction PYERR_SETOBJECT = Downcall.plain("PyErr_SetObject");
    private static final CFunction PYERR_CLEAR = Downcall.plain("PyErr_Clear");
    private static final CFunction PYERR_CHECKSIGNALS = Downcall.plain("PyErr_CheckSignals");
    private static final CFunction PYERR_WRITEUNRAISABLE = Downcall.plain("PyErr_WriteUnraisable");
    private static final CFunction PYERR_NOMEMORY = Downcall.plain("PyErr_NoMemory");

    private PyErrors() {}

    public static long PyErr_Occurred() {
        return PYERR_OCCURRED.call();
    }

    public static long PyErr_SetString(long type, long message) {
        return PYERR_SETSTRING.call(type, message);
    }

    public static long PyErr_SetObject(long type, long value) {
        return PYERR_SETOBJECT.call(type, value);
    }

    public static long PyErr_Clear() {
        return PYERR_CLEAR.call();
    }

    public static long PyErr_CheckSignals() {
        return PYERR_CHECKSIGNALS.call();
    }

    public static long PyErr_WriteUnraisable(long object) {
        return PYERR_WRITEUNRAISABLE.call(object);
    }

    public static long PyErr_NoMemory() {
        return PYERR_NOMEMORY.call();
    }
}
