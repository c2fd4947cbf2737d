package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Modules. The functions of import.h and sysmodule.h, under C's names. */
public final class Modules {
    private static final MethodHandle PYIMPORT_IMPORTMODULE = Downcall.plain("PyImport_ImportModule");
    private static final MethodHandle PYIMPORT_IMPORT = Downcall.plain("PyImport_Import");
    private static final MethodHandle PYIMPORT_GETMODULE = Downcall.plain("PyImport_GetModule");
    private static final MethodHandle PYSYS_GETOBJECT = Downcall.plain("PySys_GetObject");

    private Modules() {}

    public static long PyImport_ImportModule(long utf8Name) {
        try {
            return (long) PYIMPORT_IMPORTMODULE.invokeExact(utf8Name, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyImport_Import(long name) {
        try {
            return (long) PYIMPORT_IMPORT.invokeExact(name, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyImport_GetModule(long name) {
        try {
            return (long) PYIMPORT_GETMODULE.invokeExact(name, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PySys_GetObject(long utf8Name) {
        try {
            return (long) PYSYS_GETOBJECT.invokeExact(utf8Name, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
