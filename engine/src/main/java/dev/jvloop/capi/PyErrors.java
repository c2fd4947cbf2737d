package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** The error indicator. The functions of pyerrors.h, under C's names. */
public final class PyErrors {
    private static final MethodHandle PYERR_OCCURRED = Downcall.critical("PyErr_Occurred");
    private static final MethodHandle PYERR_SETSTRING = Downcall.plain("PyErr_SetString");
    private static final MethodHandle PYERR_SETOBJECT = Downcall.plain("PyErr_SetObject");
    private static final MethodHandle PYERR_CLEAR = Downcall.plain("PyErr_Clear");
    private static final MethodHandle PYERR_CHECKSIGNALS = Downcall.plain("PyErr_CheckSignals");
    private static final MethodHandle PYERR_WRITEUNRAISABLE = Downcall.plain("PyErr_WriteUnraisable");
    private static final MethodHandle PYERR_NOMEMORY = Downcall.plain("PyErr_NoMemory");

    private PyErrors() {}

    public static long PyErr_Occurred() {
        try {
            return (long) PYERR_OCCURRED.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_SetString(long type, long message) {
        try {
            return (long) PYERR_SETSTRING.invokeExact(type, message, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_SetObject(long type, long value) {
        try {
            return (long) PYERR_SETOBJECT.invokeExact(type, value, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_Clear() {
        try {
            return (long) PYERR_CLEAR.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_CheckSignals() {
        try {
            return (long) PYERR_CHECKSIGNALS.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_WriteUnraisable(long object) {
        try {
            return (long) PYERR_WRITEUNRAISABLE.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyErr_NoMemory() {
        try {
            return (long) PYERR_NOMEMORY.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
