package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** Calls and sequences. Functions of abstract.h, under C's names. */
public final class Abstract {
    private static final CFunction PYOBJECT_CALLNOARGS = Downcall.plain("PyObject_CallNoArgs");
    private static final CFunction PYOBJECT_CALLONEARG = Downcall.plain("PyObject_CallOneArg");
    private static final CFunction PYOBJECT_CALL = Downcall.plain("PyObject_Call");
    private static final CFunction PYOBJECT_VECTORCALL = Downcall.plain("PyObject_Vectorcall");
    private static final CFunction PYOBJECT_VECTORCALLMETHOD = Downcall.plain("PyObject_VectorcallMethod");
    private static final CFunction PYSEQUENCE_GETITEM = Downcall.plain("PySequence_GetItem");
    private static final CFunction PYSEQUENCE_TUPLE = Downcall.plain("PySequence_Tuple");

    private Abstract() {}

    public static long PyObject_CallNoArgs(long callable) {
        return PYOBJECT_CALLNOARGS.call(callable);
    }

    public static long PyObject_CallOneArg(long callable, long argument) {
        return PYOBJECT_CALLONEARG.call(callable, argument);
    }

    public static long PyObject_Call(long callable, long tuple, long keywords) {
        return PYOBJECT_CALL.call(callable, tuple, keywords);
    }

    public static long PyObject_Vectorcall(long callable, long arguments, long nargsf, long kwnames) {
        return PYOBJECT_VECTORCALL.call(callable, arguments, nargsf, kwnames);
    }

    public static long PyObject_VectorcallMethod(long name, long arguments, long nargsf, long kwnames) {
        return PYOBJECT_VECTORCALLMETHOD.call(name, arguments, nargsf, kwnames);
    }

    public static long PySequence_GetItem(long sequence, long index) {
        return PYSEQUENCE_GETITEM.call(sequence, index);
    }

    public static long PySequence_Tuple(long iterable) {
        return PYSEQUENCE_TUPLE.call(iterable);
    }
}
