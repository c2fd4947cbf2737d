package dev.jvloop.linux;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Symbols;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * A function of the C library that makes a system call, of up to five integers or pointers. {@code errno} is captured
 * right after it, since by the time Java reads it the JVM may have changed it. Otherwise as {@link CFunction}.
 */
sealed interface SystemCall {
    Linker.Option ERRNO = Linker.Option.captureCallState("errno");

    /** Of the longest one: see {@link Downcall}. */
    FunctionDescriptor SHAPE = Downcall.longs(5);

    /** @param state where errno goes: of the layout that {@link Linker.Option#captureStateLayout} tells */
    long call(MemorySegment state, long a, long b, long c, long d, long e);

    default long call(MemorySegment state, long a, long b, long c, long d) {
        return call(state, a, b, c, d, 0);
    }

    default long call(MemorySegment state, long a, long b, long c) {
        return call(state, a, b, c, 0, 0);
    }

    default long call(MemorySegment state, long a, long b) {
        return call(state, a, b, 0, 0, 0);
    }

    default long call(MemorySegment state, long a) {
        return call(state, a, 0, 0, 0, 0);
    }

    /** One that returns at once: see {@link Downcall#critical}. */
    static SystemCall critical(String name) {
        return new Critical(Symbols.findOrThrow(name));
    }

    /** One that may wait. */
    static SystemCall blocking(String name) {
        return new Blocking(Symbols.findOrThrow(name));
    }

    record Critical(MemorySegment address) implements SystemCall {
        /** Linked by the first call. */
        private static final class CriticalHandle {
            private static final MethodHandle HANDLE = Downcall.shape(SHAPE, ERRNO, Linker.Option.critical(false));
        }

        @Override
        public long call(MemorySegment state, long a, long b, long c, long d, long e) {
            try {
                return (long) CriticalHandle.HANDLE.invokeExact(address, state, a, b, c, d, e);
            } catch (Throwable t) {
                throw Downcall.failed(t);
            }
        }
    }

    record Blocking(MemorySegment address) implements SystemCall {
        /** Linked by the first call. */
        private static final class BlockingHandle {
            private static final MethodHandle HANDLE = Downcall.shape(SHAPE, ERRNO);
        }

        @Override
        public long call(MemorySegment state, long a, long b, long c, long d, long e) {
            try {
                return (long) BlockingHandle.HANDLE.invokeExact(address, state, a, b, c, d, e);
            } catch (Throwable t) {
                throw Downcall.failed(t);
            }
        }
    }
}
