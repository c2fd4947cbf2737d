package dev.jvloop.capi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * Makes the method handles for calls into C.
 *
 * <p>Every distinct signature costs about 0.7 ms of start-up, because the linker spins its classes at run time. In the
 * System V x86-64 and AArch64 calling conventions an {@code int}, a pointer and a {@code long} all travel in one
 * integer register, so nearly every function is bound as {@code long (long...)}: callers narrow an {@code int}
 * result with a cast and ignore the result of a {@code void} function.
 */
public final class Downcall {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option CRITICAL = Linker.Option.critical(false);

    private Downcall() {}

    /** A function that may block, run Python code or call back into Java. */
    public static MethodHandle plain(String symbol, int arity) {
        return LINKER.downcallHandle(Symbols.findOrThrow(symbol), longs(arity));
    }

    /**
     * A function called without a thread-state transition (4 ns instead of 9). It must never block, run Python code,
     * call back into Java, or start Python's cyclic garbage collector.
     */
    public static MethodHandle critical(String symbol, int arity) {
        return LINKER.downcallHandle(Symbols.findOrThrow(symbol), longs(arity), CRITICAL);
    }

    /** {@link #critical} where {@code safe}, else {@link #plain}. */
    public static MethodHandle criticalIf(boolean safe, String symbol, int arity) {
        return safe ? critical(symbol, arity) : plain(symbol, arity);
    }

    /** Any other signature. */
    public static MethodHandle of(String symbol, FunctionDescriptor descriptor, Linker.Option... options) {
        return LINKER.downcallHandle(Symbols.findOrThrow(symbol), descriptor, options);
    }

    /** A function pointer known only at run time: the handle takes its address as a first segment argument. */
    public static MethodHandle pointer(int arity) {
        return LINKER.downcallHandle(longs(arity));
    }

    static FunctionDescriptor longs(int arity) {
        MemoryLayout[] arguments = new MemoryLayout[arity];
        Arrays.fill(arguments, ValueLayout.JAVA_LONG);
        return FunctionDescriptor.of(ValueLayout.JAVA_LONG, arguments);
    }

    /** Rethrows what a method handle threw: a downcall itself throws nothing checked. */
    public static RuntimeException failed(Throwable t) {
        if (t instanceof RuntimeException e) {
            return e;
        }
        if (t instanceof Error e) {
            throw e;
        }
        return new IllegalStateException(t);
    }
}
