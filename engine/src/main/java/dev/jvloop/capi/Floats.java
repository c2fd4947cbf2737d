package dev.jvloop.capi;

import dev.jvloop.foreign.Downcall;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** float. The functions of floatobject.h, under C's names. */
public final class Floats {
    private static final MethodHandle PYFLOAT_FROMDOUBLE = Downcall.of(
            "PyFloat_FromDouble",
            FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_DOUBLE),
            Linker.Option.critical(false));

    private Floats() {}

    public static long PyFloat_FromDouble(double value) {
        try {
            return (long) PYFLOAT_FROMDOUBLE.invokeExact(value);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    /** Bound on first use: the loop reads exact floats and ints without a call. */
    private static final class AsDouble {
        private static final MethodHandle PYFLOAT_ASDOUBLE =
                Downcall.of("PyFloat_AsDouble", FunctionDescriptor.of(ValueLayout.JAVA_DOUBLE, ValueLayout.JAVA_LONG));
    }

    public static double PyFloat_AsDouble(long object) {
        try {
            return (double) AsDouble.PYFLOAT_ASDOUBLE.invokeExact(object);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
