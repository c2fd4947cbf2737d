package dev.jvloop.py;

import dev.jvloop.capi.PyErrors;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * The one place that makes function pointers out of Java methods.
 *
 * <p>An exception that leaves an upcall ends the JVM, and with it Python. So every stub goes through one of the three
 * trampolines below, which catch {@code Throwable}. All stubs have the shape {@code long (long, long, long, long)}:
 * a C function may be declared with more integer parameters than its caller passes (the callee reads registers that
 * hold nothing of interest and ignores them), and one shape saves the start-up cost of the others.
 */
public final class Upcalls {
    private static final FunctionDescriptor SHAPE = FunctionDescriptor.of(
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG);
    private static final MethodType BODY =
            MethodType.methodType(long.class, long.class, long.class, long.class, long.class);
    private static final MethodHandle RAISING = trampoline("raising");
    private static final MethodHandle RAISING_STATUS = trampoline("raisingStatus");
    private static final MethodHandle NEVER_RAISING = trampoline("neverRaising");

    private Upcalls() {}

    /**
     * A function pointer, valid for ever, that returns a PyObject pointer, NULL with the error indicator set when the
     * body throws.
     *
     * @param body a static method {@code long name(long, long, long, long)}
     */
    public static long raising(MethodHandle body) {
        return stub(RAISING, body);
    }

    /**
     * A function pointer, valid for ever, that returns a status: -1 with the error indicator set when the body throws.
     */
    public static long raisingStatus(MethodHandle body) {
        return stub(RAISING_STATUS, body);
    }

    /**
     * A function pointer, valid for ever, for C functions that cannot report an error (tp_dealloc, tp_traverse): what
     * the body throws goes to {@code sys.unraisablehook}, and the result is 0.
     */
    public static long neverRaising(MethodHandle body) {
        return stub(NEVER_RAISING, body);
    }

    /** Looks up a static method of the upcall shape. */
    public static MethodHandle body(MethodHandles.Lookup lookup, Class<?> owner, String name) {
        try {
            return lookup.findStatic(owner, name, BODY);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long stub(MethodHandle trampoline, MethodHandle body) {
        MemorySegment stub = Linker.nativeLinker()
                .upcallStub(MethodHandles.insertArguments(trampoline, 0, body), SHAPE, Arena.global());
        return stub.address();
    }

    private static MethodHandle trampoline(String name) {
        try {
            return MethodHandles.lookup()
                    .findStatic(Upcalls.class, name, BODY.insertParameterTypes(0, MethodHandle.class));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @SuppressWarnings("unused")
    private static long raising(MethodHandle body, long a, long b, long c, long d) {
        try {
            return (long) body.invokeExact(a, b, c, d);
        } catch (PythonError e) {
            return 0;
        } catch (Throwable t) {
            report(t);
            return 0;
        }
    }

    @SuppressWarnings("unused")
    private static long raisingStatus(MethodHandle body, long a, long b, long c, long d) {
        try {
            return (long) body.invokeExact(a, b, c, d);
        } catch (PythonError e) {
            return -1;
        } catch (Throwable t) {
            report(t);
            return -1;
        }
    }

    @SuppressWarnings("unused")
    private static long neverRaising(MethodHandle body, long a, long b, long c, long d) {
        try {
            return (long) body.invokeExact(a, b, c, d);
        } catch (Throwable t) {
            return unraisable(t);
        }
    }

    /** Turning the failure into a Python error may fail itself, for example when the stack is exhausted. */
    private static void report(Throwable t) {
        try {
            PyErr.raiseJava(t);
        } catch (Throwable again) {
            PyErrors.PyErr_NoMemory();
        }
    }

    private static long unraisable(Throwable t) {
        try {
            if (!(t instanceof PythonError)) {
                PyErr.raiseJava(t);
            }
            PyErr.writeUnraisable(0);
        } catch (Throwable again) {
            PyErrors.PyErr_Clear();
        }
        return 0;
    }
}
