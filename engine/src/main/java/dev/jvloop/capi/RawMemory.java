package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** Memory outside Python's object allocator. Functions of pymem.h, under C's names; they need no GIL. */
public final class RawMemory {
    // Not critical: where tracemalloc traces, it takes a lock.
    private static final CFunction PYMEM_RAWMALLOC = Downcall.plain("PyMem_RawMalloc");
    private static final CFunction PYMEM_RAWFREE = Downcall.plain("PyMem_RawFree");

    private RawMemory() {}

    public static long PyMem_RawMalloc(long size) {
        return PYMEM_RAWMALLOC.call(size);
    }

    public static void PyMem_RawFree(long address) {
        PYMEM_RAWFREE.call(address);
    }
}
