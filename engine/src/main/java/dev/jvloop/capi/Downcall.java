package dev.jvloop.capi;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * Makes the method handles for calls into C.
 *
 * <p>Every distinct signature costs milliseconds of start-up, because the linker spins classes for it at run time. In
 * the System V x86-64 and the AArch64 calling convention an {@code int}, a pointer and a {@code long} all travel in one
 * integer register, and a callee does not look at registers beyond its parameters. So nearly every function is bound
 * as {@code long (long, long, long, long)}: callers pass zeros for what a function does not take, narrow an
 * {@code int} result with a cast and ignore the result of a {@code void} function.
 */
public final class Downcall {
    /** How many parameters every handle has. */
    public static final int ARITY = 4;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final FunctionDescriptor SHAPE = longs(ARITY);
    private static final MethodHandle PLAIN = LINKER.downcallHandle(SHAPE);
    private static final MethodHandle CRITICAL = LINKER.downcallHandle(SHAPE, Linker.Option.critical(false));

    private Downcall() {}

    /** A function that may block, run Python code or call back into Java. */
    public static MethodHandle plain(String symbol) {
        return PLAIN.bindTo(Symbols.findOrThrow(symbol));
    }

    /**
     * A function called without a thread-state transition (4 ns instead of 9). It must never block, run Python code,
     * call back into Java, or start Python's cyclic garbage collector.
     */
    public static MethodHandle critical(String symbol) {
        return CRITICAL.bindTo(Symbols.findOrThrow(symbol));
    }

    /** {@link #plain} for a function that the global scope does not show, by its address. */
    public static MethodHandle plainAt(String symbol, long address) {
        return PLAIN.bindTo(segment(symbol, address));
    }

    /** {@link #critical} for a function that the global scope does not show, by its address. */
    public static MethodHandle criticalAt(String symbol, long address) {
        return CRITICAL.bindTo(segment(symbol, address));
    }

    private static MemorySegment segment(String symbol, long address) {
        if (address == 0) {
            throw new UnsatisfiedLinkError("no address of " + symbol);
        }
        return MemorySegment.ofAddress(address);
    }

    /** {@link #critical} where {@code safe}, else {@link #plain}. */
    public static MethodHandle criticalIf(boolean safe, String symbol) {
        return safe ? critical(symbol) : plain(symbol);
    }

    /** Any other signature. */
    public static MethodHandle of(String symbol, FunctionDescriptor descriptor, Linker.Option... options) {
        return LINKER.downcallHandle(Symbols.findOrThrow(symbol), descriptor, options);
    }

    /** Function pointers known only at run time: {@link #plain}, with the function as a first segment argument. */
    public static MethodHandle pointer() {
        return PLAIN;
    }

    /** A descriptor of {@code arity} longs that returns a long. */
    public static FunctionDescriptor longs(int arity) {
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
