package dev.jvloop.loop;

import dev.jvloop.capi.Contexts;
import dev.jvloop.py.ContextFields;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/**
 * The contexts that callbacks run in: copies of the one that they were scheduled in, made when they run.
 *
 * <p>Until then a handle holds the variables alone, in the slot of its context: one reference to an immutable mapping
 * which all copies would share, or 0 where there are none. So thousands of callbacks that wait need no context each,
 * whose memory would have left the cache when they run and whose number would set off Python's cyclic collector; and a
 * timer that is cancelled, as most are, never has one. What runs takes the context of what ran before it, if nobody else
 * has that, is in it or has a weak reference to it.
 *
 * <p>Where the fields of a context are not known, a handle has its copy from the beginning.
 */
final class LateContexts {
    /** One is in use at a time, but for those of handles whose context a program has looked at. */
    private static final int CAPACITY = 16;

    private final ObjectPool pool = new ObjectPool(CAPACITY);

    /** What a handle that is made now holds: an owned reference, or 0. */
    static long newHeld() {
        return ContextFields.KNOWN
                ? ContextFields.newVariablesOfCurrentOrNull()
                : PyErr.checked(Contexts.PyContext_CopyCurrent());
    }

    /** Whether this stands for a context that has not been made. */
    static boolean isLate(long heldOrNull) {
        return ContextFields.KNOWN && (heldOrNull == 0 || ContextFields.areVariables(heldOrNull));
    }

    /** Whether there is a context for {@link #takeSpare}. */
    boolean hasSpare() {
        return !pool.isEmpty();
    }

    /**
     * Makes one where there is none. May run a collection.
     *
     * @return false with MemoryError set
     */
    boolean makeSpare() {
        long ownedContext = Contexts.PyContext_New();
        if (ownedContext == 0) {
            return false;
        }
        pool.add(ownedContext);
        return true;
    }

    /**
     * A new reference to the context of variables.
     *
     * @param ownedVariablesOrNull what {@link #isLate}
     */
    long takeSpare(long ownedVariablesOrNull) {
        long ownedContext = pool.takeOwned();
        ContextFields.setVariables(ownedContext, ownedVariablesOrNull);
        return ownedContext;
    }

    /** Gives back what a handle held. May run any Python code, as what it held is released. */
    void recycle(long ownedHeldOrNull) {
        if (!ContextFields.KNOWN || pool.isFull() || !ContextFields.isReusable(ownedHeldOrNull)) {
            Refs.decrefOrNull(ownedHeldOrNull);
            return;
        }
        long ownedVariablesOrNull = ContextFields.takeVariables(ownedHeldOrNull);
        pool.add(ownedHeldOrNull);
        Refs.decrefOrNull(ownedVariablesOrNull);
    }

    void forEach(LongConsumer action) {
        pool.forEach(action);
    }

    void clear() {
        pool.clear();
    }
}
