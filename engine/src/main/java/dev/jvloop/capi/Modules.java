package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** Modules. The functions of import.h and sysmodule.h, under C's names. */
public final class Modules {
    private static final CFunction PYIMPORT_IMPORTMODULE = Downcall.plain("PyImport_ImportModule");
    private static final CFunction PYIMPORT_IMPORT = Downcall.plain("PyImport_Import");
    private static final CFunction PYIMPORT_GETMODULE = Downcall.plain("PyImport_GetModule");
    private static final CFunction PYSYS_GETOBJECT = Downcall.plain("PySys_GetObject");

    private Modules() {}

    public static long PyImport_ImportModule(long utf8Name) {
        return PYIMPORT_IMPORTMODULE.call(utf8Name);
    }

    public static long PyImport_Import(long name) {
        return PYIMPORT_IMPORT.call(name);
    }

    public static long PyImport_GetModule(long name) {
        return PYIMPORT_GETMODULE.call(name);
    }

    public static long PySys_GetObject(long utf8Name) {
        return PYSYS_GETOBJECT.call(utf8Name);
    }
}
