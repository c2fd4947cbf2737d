package dev.jvloop.foreign;

import java.lang.foreign.MemorySegment;

/**
 * A function of C that takes up to four integers or pointers and returns one, or nothing.
 *
 * <p>Kept in a static final field, so that the JIT knows which one it is and compiles the call in place. {@link Downcall}
 * makes them. Any thread may hold one; which thread may call, and with what, is the function's own matter. Nothing is
 * thrown but what a thread's death throws ({@code StackOverflowError} and the like).
 *
 * <p>The two kinds differ in their method handle alone. The handle is the same for all functions of a kind and takes the
 * address as an argument: to bind one to each address costs 20 us of each start for each function in the bytecode
 * interpreter, and a class that the JVM spins for each that is called 128 times before it is compiled.
 */
public sealed interface CFunction {
    /** {@code int} results are in the lower half of what it returns; a {@code void} function returns anything. */
    long call(long a, long b, long c, long d);

    /** The function of three parameters. The callee does not look at registers beyond its parameters. */
    default long call(long a, long b, long c) {
        return call(a, b, c, 0);
    }

    /** The function of two parameters. */
    default long call(long a, long b) {
        return call(a, b, 0, 0);
    }

    /** The function of one parameter. */
    default long call(long a) {
        return call(a, 0, 0, 0);
    }

    /** The function without parameters. */
    default long call() {
        return call(0, 0, 0, 0);
    }

    /** One that may block, run Python code or call back into Java. */
    record Plain(MemorySegment address) implements CFunction {
        @Override
        public long call(long a, long b, long c, long d) {
            try {
                return (long) Downcall.PLAIN.invokeExact(address, a, b, c, d);
            } catch (Throwable t) {
                throw Downcall.failed(t);
            }
        }
    }

    /** One called without a thread-state transition: see {@link Downcall#critical}. */
    record Critical(MemorySegment address) implements CFunction {
        @Override
        public long call(long a, long b, long c, long d) {
            try {
                return (long) Downcall.CRITICAL.invokeExact(address, a, b, c, d);
            } catch (Throwable t) {
                throw Downcall.failed(t);
            }
        }
    }
}
