package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Objects and types. The functions of object.h and refcount.h, under C's names. */
public final class Objects {
    private static final MethodHandle PY_DEALLOC = Downcall.plain("_Py_Dealloc", 1);
    private static final MethodHandle PY_INCREF = Downcall.critical("Py_IncRef", 1);
    private static final MethodHandle PY_DECREF = Downcall.plain("Py_DecRef", 1);
    private static final MethodHandle PYOBJECT_GETATTR = Downcall.plain("PyObject_GetAttr", 2);
    private static final MethodHandle PYOBJECT_SETATTR = Downcall.plain("PyObject_SetAttr", 3);
    private static final MethodHandle PYOBJECT_ISTRUE = Downcall.plain("PyObject_IsTrue", 1);
    private static final MethodHandle PYOBJECT_ISINSTANCE = Downcall.plain("PyObject_IsInstance", 2);
    private static final MethodHandle PYTYPE_GENERICALLOC =
            Downcall.criticalIf(Version.COLLECTS_AT_EVAL_BREAKER, "PyType_GenericAlloc", 2);
    private static final MethodHandle PYTYPE_ISSUBTYPE = Downcall.critical("PyType_IsSubtype", 2);
    private static final MethodHandle PYTYPE_FROMSPEC = Downcall.plain("PyType_FromSpec", 1);
    private static final MethodHandle PYCALLABLE_CHECK = Downcall.critical("PyCallable_Check", 1);
    private static final MethodHandle PYOBJECT_REPR = Downcall.plain("PyObject_Repr", 1);

    private Objects() {}

    public static long _Py_Dealloc(long object) {
        try {
            return (long) PY_DEALLOC.invokeExact(object);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long Py_IncRef(long object) {
        try {
            return (long) PY_INCREF.invokeExact(object);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long Py_DecRef(long object) {
        try {
            return (long) PY_DECREF.invokeExact(object);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_GetAttr(long object, long name) {
        try {
            return (long) PYOBJECT_GETATTR.invokeExact(object, name);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_SetAttr(long object, long name, long value) {
        try {
            return (long) PYOBJECT_SETATTR.invokeExact(object, name, value);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_IsTrue(long object) {
        try {
            return (long) PYOBJECT_ISTRUE.invokeExact(object);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_IsInstance(long object, long type) {
        try {
            return (long) PYOBJECT_ISINSTANCE.invokeExact(object, type);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyType_GenericAlloc(long type, long itemCount) {
        try {
            return (long) PYTYPE_GENERICALLOC.invokeExact(type, itemCount);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyType_IsSubtype(long type, long base) {
        try {
            return (long) PYTYPE_ISSUBTYPE.invokeExact(type, base);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyType_FromSpec(long spec) {
        try {
            return (long) PYTYPE_FROMSPEC.invokeExact(spec);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyCallable_Check(long object) {
        try {
            return (long) PYCALLABLE_CHECK.invokeExact(object);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyObject_Repr(long object) {
        try {
            return (long) PYOBJECT_REPR.invokeExact(object);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
