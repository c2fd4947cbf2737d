package dev.jvloop.py;

import dev.jvloop.capi.Objects;
import dev.jvloop.capi.Version;
import dev.jvloop.foreign.Memory;

/**
 * Reference counts.
 *
 * <p>Everywhere in the engine a {@code long} that holds a Python object is a <em>borrowed</em> reference unless its
 * name starts with {@code owned} (a local or field whose holder must release it) or it comes straight out of a method
 * whose name starts with {@code new} (which gives the caller an owned one). The caller holds the GIL.
 */
public final class Refs {
    /** The bits of the 32-bit count that only immortal objects have set, on 3.12 to 3.14. */
    private static final int IMMORTAL = Version.HAS_IMMORTAL_OBJECTS ? 0xC000_0000 : 0;

    private Refs() {}

    /** Takes another reference: what was borrowed is owned now. */
    public static long incref(long object) {
        if (Version.FREE_THREADED) {
            Objects.Py_IncRef(object);
            return object;
        }
        int count = Memory.getInt(object + Layout.REFCOUNT);
        if ((count & IMMORTAL) == 0) {
            Memory.putInt(object + Layout.REFCOUNT, count + 1);
        }
        return object;
    }

    /** Gives an owned reference back. May run any Python code, when it was the last one. */
    public static void decref(long owned) {
        if (Version.FREE_THREADED) {
            Objects.Py_DecRef(owned);
            return;
        }
        int count = Memory.getInt(owned + Layout.REFCOUNT);
        if ((count & IMMORTAL) != 0) {
            return;
        }
        Memory.putInt(owned + Layout.REFCOUNT, count - 1);
        if (count == 1) {
            Objects._Py_Dealloc(owned);
        }
    }

    /** Whether the caller's reference is the only one. Never true in free-threaded Python, which counts in two places. */
    public static boolean isOnlyReference(long owned) {
        return !Version.FREE_THREADED && Memory.getInt(owned + Layout.REFCOUNT) == 1;
    }

    /** {@link #decref} that lets 0 pass. */
    public static void decrefOrNull(long ownedOrNull) {
        if (ownedOrNull != 0) {
            decref(ownedOrNull);
        }
    }

    /** Stores an owned reference in a slot of an object and releases what the slot held. */
    public static void setSlot(long object, long offset, long owned) {
        long ownedBefore;
        try (var _ = CriticalSection.ofOrNull(object)) {
            ownedBefore = Memory.getLong(object + offset);
            Memory.putLongRelease(object + offset, owned);
        }
        decrefOrNull(ownedBefore);
    }

    /** A new reference to what a slot of an object holds, which another thread may replace meanwhile; or 0. */
    public static long newFromSlotOrNull(long object, long offset) {
        try (var _ = CriticalSection.ofOrNull(object)) {
            long held = Memory.getLong(object + offset);
            return held == 0 ? 0 : incref(held);
        }
    }
}
