package dev.jvloop.foreign;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * Binds functions of C.
 *
 * <p>Every distinct signature costs milliseconds of start-up, because the linker spins classes for it at run time. In
 * the System V x86-64 and the AArch64 calling convention an {@code int}, a pointer and a {@code long} all travel in one
 * integer register, and a callee does not look at registers beyond its parameters. So nearly every function is bound
 * as {@code long (long, long, long, long)}, a {@link CFunction}: what a function does not take is passed as zero, an
 * {@code int} result is narrowed with a cast and the result of a {@code void} function ignored.
 */
public final class Downcall {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final FunctionDescriptor SHAPE = longs(4);
    /** Both take the function's address before its arguments. */
    static final MethodHandle PLAIN = LINKER.downcallHandle(SHAPE);

    static final MethodHandle CRITICAL = LINKER.downcallHandle(SHAPE, Linker.Option.critical(false));

    private Downcall() {}

    /**
     * A function that may block, run Python code or call back into Java.
     *
     * @throws UnsatisfiedLinkError if the process has no such symbol; so do all that look one up
     */
    public static CFunction plain(String symbol) {
        return new CFunction.Plain(Symbols.findOrThrow(symbol));
    }

    /**
     * A function called without a thread-state transition (4 ns instead of 9). It must never block, run Python code,
     * call back into Java, or start Python's cyclic garbage collector.
     */
    public static CFunction critical(String symbol) {
        return new CFunction.Critical(Symbols.findOrThrow(symbol));
    }

    /** {@link #plain} for a function that the global scope does not show, or a function pointer, by its address. */
    public static CFunction plainAt(String symbol, long address) {
        return new CFunction.Plain(segment(symbol, address));
    }

    /** {@link #critical} for a function that the global scope does not show, by its address. */
    public static CFunction criticalAt(String symbol, long address) {
        return new CFunction.Critical(segment(symbol, address));
    }

    private static MemorySegment segment(String symbol, long address) {
        if (address == 0) {
            throw new UnsatisfiedLinkError("no address of " + symbol);
        }
        return MemorySegment.ofAddress(address);
    }

    /** {@link #critical} where {@code safe}, else {@link #plain}. */
    public static CFunction criticalIf(boolean safe, String symbol) {
        return safe ? critical(symbol) : plain(symbol);
    }

    /** Any other signature. */
    public static MethodHandle of(String symbol, FunctionDescriptor descriptor, Linker.Option... options) {
        return LINKER.downcallHandle(Symbols.findOrThrow(symbol), descriptor, options);
    }

    /** The handle of a signature, for all functions that have it: it takes the address before the arguments. */
    public static MethodHandle shape(FunctionDescriptor descriptor, Linker.Option... options) {
        return LINKER.downcallHandle(descriptor, options);
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
