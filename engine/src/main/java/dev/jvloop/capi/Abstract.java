package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Calls and sequences. Functions of abstract.h, under C's names. */
public final class Abstract {
    private static final MethodHandle PYOBJECT_CALLNOARGS = Downcall.plain("PyObject_CallNoArgs");
    private static final MethodHandle PYOBJECT_CALLONEARG = Downcall.plain("PyObject_CallOneArg");
    private static final MethodHandle PYOBJECT_VECTORCALL = Downcall.plain("PyObject_Vectorcall");
    private static final MethodHandle PYOBJECT_VECTORCALLMETHOD = Downcall.plain("PyObject_VectorcallMethod");
    private static final MethodHandle PYSEQUENCE_GETITEM = Downcall.plain("PySequence_GetItem");
    private static final MethodHandle PYSEQUENCE_TUPLE = Downcall.plain("PySequence_Tuple");

    private Abstract() {}

    public static long PyObject_CallNoArgs(long callable) {
        try {
            return (long) PYOBJECT_CALLNOARGS.invokeExact(callable, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_CallOneArg(long callable, long argument) {
        try {
            return (long) PYOBJECT_CALLONEARG.invokeExact(callable, argument, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_Vectorcall(long callable, long arguments, long nargsf, long kwnames) {
        try {
            return (long) PYOBJECT_VECTORCALL.invokeExact(callable, arguments, nargsf, kwnames);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_VectorcallMethod(long name, long arguments, long nargsf, long kwnames) {
        try {
            return (long) PYOBJECT_VECTORCALLMETHOD.invokeExact(name, arguments, nargsf, kwnames);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PySequence_GetItem(long sequence, long index) {
        try {
            return (long) PYSEQUENCE_GETITEM.invokeExact(sequence, index, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PySequence_Tuple(long iterable) {
        try {
            return (long) PYSEQUENCE_TUPLE.invokeExact(iterable, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
