package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Memory outside Python's object allocator. Functions of pymem.h, under C's names; they need no GIL. */
public final class RawMemory {
    // Not critical: where tracemalloc traces, it takes a lock.
    private static final MethodHandle PYMEM_RAWMALLOC = Downcall.plain("PyMem_RawMalloc");
    private static final MethodHandle PYMEM_RAWFREE = Downcall.plain("PyMem_RawFree");

    private RawMemory() {}

    public static long PyMem_RawMalloc(long size) {
        try {
            return (long) PYMEM_RAWMALLOC.invokeExact(size, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void PyMem_RawFree(long address) {
        try {
            long _ = (long) PYMEM_RAWFREE.invokeExact(address, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
