package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Method descriptors. The functions of descrobject.h, under C's names. */
public final class Descriptors {
    private static final MethodHandle PYDESCR_NEWMETHOD = Downcall.plain("PyDescr_NewMethod");

    private Descriptors() {}

    public static long PyDescr_NewMethod(long type, long definition) {
        try {
            return (long) PYDESCR_NEWMETHOD.invokeExact(type, definition, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
