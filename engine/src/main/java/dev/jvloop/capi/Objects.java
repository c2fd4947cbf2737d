package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Objects and types. The functions of object.h and refcount.h, under C's names. */
public final class Objects {
    private static final MethodHandle PY_DEALLOC = Downcall.plain("_Py_Dealloc");
    private static final MethodHandle PY_INCREF = Downcall.critical("Py_IncRef");
    private static final MethodHandle PY_DECREF = Downcall.plain("Py_DecRef");
    private static final MethodHandle PYOBJECT_GETATTR = Downcall.plain("PyObject_GetAttr");
    private static final MethodHandle PYOBJECT_SETATTR = Downcall.plain("PyObject_SetAttr");
    private static final MethodHandle PYOBJECT_ISTRUE = Downcall.plain("PyObject_IsTrue");
    private static final MethodHandle PYOBJECT_ISINSTANCE = Downcall.plain("PyObject_IsInstance");
    private static final MethodHandle PYTYPE_GENERICALLOC =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyType_GenericAlloc");
    private static final MethodHandle PYTYPE_ISSUBTYPE = Downcall.critical("PyType_IsSubtype");
    private static final MethodHandle PYTYPE_FROMSPEC = Downcall.plain("PyType_FromSpec");
    private static final MethodHandle PYCALLABLE_CHECK = Downcall.critical("PyCallable_Check");
    private static final MethodHandle PYOBJECT_REPR = Downcall.plain("PyObject_Repr");

    private static final MethodHandle PYOBJECT_FREE = Downcall.critical("PyObject_Free");

    private Objects() {}

    public static long _Py_Dealloc(long object) {
        try {
            return (long) PY_DEALLOC.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long Py_IncRef(long object) {
        try {
            return (long) PY_INCREF.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long Py_DecRef(long object) {
        try {
            return (long) PY_DECREF.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_GetAttr(long object, long name) {
        try {
            return (long) PYOBJECT_GETATTR.invokeExact(object, name, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_SetAttr(long object, long name, long value) {
        try {
            return (long) PYOBJECT_SETATTR.invokeExact(object, name, value, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_IsTrue(long object) {
        try {
            return (long) PYOBJECT_ISTRUE.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_IsInstance(long object, long type) {
        try {
            return (long) PYOBJECT_ISINSTANCE.invokeExact(object, type, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyType_GenericAlloc(long type, long itemCount) {
        try {
            return (long) PYTYPE_GENERICALLOC.invokeExact(type, itemCount, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyType_IsSubtype(long type, long base) {
        try {
            return (long) PYTYPE_ISSUBTYPE.invokeExact(type, base, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyType_FromSpec(long spec) {
        try {
            return (long) PYTYPE_FROMSPEC.invokeExact(spec, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyCallable_Check(long object) {
        try {
            return (long) PYCALLABLE_CHECK.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_Repr(long object) {
        try {
            return (long) PYOBJECT_REPR.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_Free(long object) {
        try {
            return (long) PYOBJECT_FREE.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    /** Bound on first use: the loop asks for no text. */
    private static final class Str {
        private static final MethodHandle PYOBJECT_STR = Downcall.plain("PyObject_Str");
    }

    public static long PyObject_Str(long object) {
        try {
            return (long) Str.PYOBJECT_STR.invokeExact(object, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
