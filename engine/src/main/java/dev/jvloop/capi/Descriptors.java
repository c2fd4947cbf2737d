package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** Method descriptors. The functions of descrobject.h, under C's names. */
public final class Descriptors {
    private static final CFunction PYDESCR_NEWMETHOD = Downcall.plain("PyDescr_NewMethod");

    private Descriptors() {}

    public static long PyDescr_NewMethod(long type, long definition) {
        return PYDESCR_NEWMETHOD.call(type, definition);
    }
}
