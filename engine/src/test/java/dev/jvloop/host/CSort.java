package dev.jvloop.host;

import dev.jvloop.py.Upcalls;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/** A function of C that has memory while Java does something: qsort. */
final class CSort {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    /** Of the shape that all have: C takes its two pointers and, of the result, the int. */
    private static final long COMPARE =
            Upcalls.neverRaising(Upcalls.body(MethodHandles.lookup(), CSort.class, "compare"));

    /** What the sort of this thread runs. */
    private static final ThreadLocal<Sort> CURRENT = new ThreadLocal<>();

    private CSort() {}

    private static final class Sort {
        private final Runnable meanwhile;
        private Throwable failureOrNull;

        Sort(Runnable meanwhile) {
            this.meanwhile = meanwhile;
        }

        /** What it throws has to wait for C: in the trampoline it would become a Python error, of a thread without the GIL. */
        void runMeanwhile() {
            try {
                meanwhile.run();
            } catch (Throwable t) {
                failureOrNull = t;
            }
        }
    }

    /** Sorts bytes, and runs something in between, each time that two are compared; throws what that threw last. */
    static void sort(MemorySegment bytes, Runnable meanwhile) throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle sort = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("qsort"),
                FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, LONG, LONG, LONG));
        Sort current = new Sort(meanwhile);
        CURRENT.set(current);
        try {
            sort.invokeExact(bytes, bytes.byteSize(), 1L, COMPARE);
        } finally {
            CURRENT.remove();
        }
        if (current.failureOrNull != null) {
            throw current.failureOrNull;
        }
    }

    @SuppressWarnings("unused")
    private static long compare(long first, long second, long unused1, long unused2) {
        CURRENT.get().runMeanwhile();
        return Byte.compare(byteAt(first), byteAt(second));
    }

    private static byte byteAt(long address) {
        return MemorySegment.ofAddress(address).reinterpret(1).get(ValueLayout.JAVA_BYTE, 0);
    }
}
