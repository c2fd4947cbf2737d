package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** Objects and types. The functions of object.h and refcount.h, under C's names. */
public final class Objects {
    private static final CFunction PY_DEALLOC = Downcall.plain("_Py_Dealloc");
    private static final CFunction PY_INCREF = Downcall.critical("Py_IncRef");
    private static final CFunction PY_DECREF = Downcall.plain("Py_DecRef");
    private static final CFunction PYOBJECT_GETATTR = Downcall.plain("PyObject_GetAttr");
    private static final CFunction PYOBJECT_SETATTR = Downcall.plain("PyObject_SetAttr");
    private static final CFunction PYOBJECT_ISTRUE = Downcall.plain("PyObject_IsTrue");
    private static final CFunction PYOBJECT_ISINSTANCE = Downcall.plain("PyObject_IsInstance");
    private static final CFunction PYTYPE_GENERICALLOC =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyType_GenericAlloc");
    private static final CFunction PYTYPE_ISSUBTYPE = Downcall.critical("PyType_IsSubtype");
    private static final CFunction PYTYPE_FROMSPEC = Downcall.plain("PyType_FromSpec");
    private static final CFunction PYCALLABLE_CHECK = Downcall.critical("PyCallable_Check");
    private static final CFunction PYOBJECT_REPR = Downcall.plain("PyObject_Repr");

    private static final CFunction PYOBJECT_FREE = Downcall.critical("PyObject_Free");

    private Objects() {}

    public static long _Py_Dealloc(long object) {
        return PY_DEALLOC.call(object);
    }

    public static long Py_IncRef(long object) {
        return PY_INCREF.call(object);
    }

    public static long Py_DecRef(long object) {
        return PY_DECREF.call(object);
    }

    public static long PyObject_GetAttr(long object, long name) {
        return PYOBJECT_GETATTR.call(object, name);
    }

    public static long PyObject_SetAttr(long object, long name, long value) {
        return PYOBJECT_SETATTR.call(object, name, value);
    }

    public static long PyObject_IsTrue(long object) {
        return PYOBJECT_ISTRUE.call(object);
    }

    public static long PyObject_IsInstance(long object, long type) {
        return PYOBJECT_ISINSTANCE.call(object, type);
    }

    public static long PyType_GenericAlloc(long type, long itemCount) {
        return PYTYPE_GENERICALLOC.call(type, itemCount);
    }

    public static long PyType_IsSubtype(long type, long base) {
        return PYTYPE_ISSUBTYPE.call(type, base);
    }

    public static long PyType_FromSpec(long spec) {
        return PYTYPE_FROMSPEC.call(spec);
    }

    public static long PyCallable_Check(long object) {
        return PYCALLABLE_CHECK.call(object);
    }

    public static long PyObject_Repr(long object) {
        return PYOBJECT_REPR.call(object);
    }

    public static long PyObject_Free(long object) {
        return PYOBJECT_FREE.call(object);
    }

    /** Bound on first use: the loop asks for no text. */
    private static final class Str {
        private static final CFunction PYOBJECT_STR = Downcall.plain("PyObject_Str");
    }

    public static long PyObject_Str(long object) {
        return Str.PYOBJECT_STR.call(object);
    }
}
