package dev.jvloop.host;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** A function of C that has memory while Java does something: qsort. */
final class CSort {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private CSort() {}

    /** Sorts bytes, and runs something in between, each time that two are compared. */
    static void sort(MemorySegment bytes, Runnable meanwhile) throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle sort = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("qsort"),
                FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, LONG, LONG, ValueLayout.ADDRESS));
        MethodType comparison =
                MethodType.methodType(int.class, Runnable.class, MemorySegment.class, MemorySegment.class);
        MethodHandle compare = MethodHandles.lookup().findStatic(CSort.class, "compare", comparison);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stub = linker.upcallStub(
                    compare.bindTo(meanwhile),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS),
                    arena);
            sort.invokeExact(bytes, bytes.byteSize(), 1L, stub);
        }
    }

    @SuppressWarnings("unused")
    private static int compare(Runnable meanwhile, MemorySegment first, MemorySegment second) {
        meanwhile.run();
        return Byte.compare(
                first.reinterpret(1).get(ValueLayout.JAVA_BYTE, 0),
                second.reinterpret(1).get(ValueLayout.JAVA_BYTE, 0));
    }
}
