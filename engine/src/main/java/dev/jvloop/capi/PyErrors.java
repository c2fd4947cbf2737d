package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** The error indicator. The functions of pyerrors.h, under C's names. */
public final class PyErrors {
    private static final MethodHandle PYERR_OCCURRED = Downcall.critical("PyErr_Occurred", 0);
    private static final MethodHandle PYERR_SETSTRING = Downcall.plain("PyErr_SetString", 2);
    private static final MethodHandle PYERR_SETOBJECT = Downcall.plain("PyErr_SetObject", 2);
    private static final MethodHandle PYERR_CLEAR = Downcall.plain("PyErr_Clear", 0);
    private static final MethodHandle PYERR_CHECKSIGNALS = Downcall.plain("PyErr_CheckSignals", 0);
    private static final MethodHandle PYERR_WRITEUNRAISABLE = Downcall.plain("PyErr_WriteUnraisable", 1);
    private static final MethodHandle PYERR_NOMEMORY = Downcall.plain("PyErr_NoMemory", 0);

    private PyErrors() {}

    public static long PyErr_Occurred() {
        try {
            return (long) PYERR_OCCURRED.invokeExact();
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_SetString(long type, long message) {
        try {
            return (long) PYERR_SETSTRING.invokeExact(type, message);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_SetObject(long type, long value) {
        try {
            return (long) PYERR_SETOBJECT.invokeExact(type, value);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_Clear() {
        try {
            return (long) PYERR_CLEAR.invokeExact();
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_CheckSignals() {
        try {
            return (long) PYERR_CHECKSIGNALS.invokeExact();
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_WriteUnraisable(long object) {
        try {
            return (long) PYERR_WRITEUNRAISABLE.invokeExact(object);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_NoMemory() {
        try {
            return (long) PYERR_NOMEMORY.invokeExact();
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
