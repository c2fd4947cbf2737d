package dev.jvloop.loop;

import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Refs;

/**
 * The arguments of the handle that runs, where others have it too: whoever cancels it during the call empties its slots,
 * and the callee may still read its arguments. So they are held, in an array beside the handle.
 */
final class HeldArguments {
    private final long array;
    private boolean inUse;

    HeldArguments(IoScratch scratch) {
        array = scratch.heldArguments;
    }

    /** The address of the first. */
    long address() {
        return array;
    }

    /**
     * Takes references to up to three objects.
     *
     * @return false if the array is in use: a callback has run the loop inside itself, as nest_asyncio does
     */
    boolean tryHold(long arguments, long count) {
        if (inUse) {
            return false;
        }
        inUse = true;
        for (long i = 0; i < count; i++) {
            Memory.putLong(array + 8 * i, Refs.incref(Memory.getLong(arguments + 8 * i)));
        }
        return true;
    }

    /** Gives back what {@link #tryHold} took. */
    void release(long count) {
        long ownedFirst = Memory.getLong(array);
        long ownedSecond = Memory.getLong(array + 8);
        long ownedThird = Memory.getLong(array + 16);
        // Releasing them may run code that runs the loop again.
        inUse = false;
        if (count > 0) {
            Refs.decref(ownedFirst);
        }
        if (count > 1) {
            Refs.decref(ownedSecond);
        }
        if (count > 2) {
            Refs.decref(ownedThird);
        }
    }
}
