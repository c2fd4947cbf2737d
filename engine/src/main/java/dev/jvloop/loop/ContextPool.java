package dev.jvloop.loop;

import dev.jvloop.capi.Contexts;
import dev.jvloop.py.ContextFields;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/**
 * The contexts that callbacks run in: copies of the current one, recycled as the handles are.
 *
 * <p>CPython itself keeps 255 contexts for reuse. With more callbacks pending than that, each context is an object that
 * the cyclic garbage collector tracks, and thousands of them set off collection after collection: 15 % of the CPU time
 * of 20,000 callbacks posted by another thread. A context that somebody else has, is in, or has a weak reference to is
 * never recycled.
 *
 * <p>Only as many come back as went out. Most contexts of a busy loop are made elsewhere, by tasks and futures, and end in
 * the handle of a last callback: if these were kept, none would be left for CPython to use again, and its allocations
 * would set off collections in their turn ({@code gather} of 10,000 took 1.25 times as long).
 */
final class ContextPool {
    private final ObjectPool pool;
    /** So many copies are in handles, or fewer: a program may have kept a handle, and its context with it. */
    private int outside;

    ContextPool(int capacity) {
        pool = new ObjectPool(capacity);
    }

    /** A new reference to a copy of the calling thread's context. */
    long newCopyOfCurrent() {
        outside++;
        long currentOrNull = pool.isEmpty() ? 0 : ContextFields.currentOrNull();
        if (currentOrNull == 0) {
            return PyErr.checked(Contexts.PyContext_CopyCurrent());
        }
        long ownedContext = pool.takeOwned();
        ContextFields.copyVariables(currentOrNull, ownedContext);
        return ownedContext;
    }

    /** Gives a context back that its callback ran in, or 0. May run any Python code, as what it held is released. */
    void recycle(long ownedContextOrNull) {
        if (ownedContextOrNull == 0) {
            return;
        }
        boolean replacesOne = outside > 0;
        if (replacesOne) {
            outside--;
        }
        if (!replacesOne || !ContextFields.KNOWN || pool.isFull() || !ContextFields.isReusable(ownedContextOrNull)) {
            Refs.decref(ownedContextOrNull);
            return;
        }
        long ownedVariablesOrNull = ContextFields.takeVariables(ownedContextOrNull);
        pool.add(ownedContextOrNull);
        Refs.decrefOrNull(ownedVariablesOrNull);
    }

    /** As {@link ObjectPool#freeAbove}, when only so many handles wait for their time. */
    void freeAbove(int kept, int most, int handles) {
        outside = Math.clamp(outside, 0, handles);
        pool.freeAbove(kept, most);
    }

    void forEach(LongConsumer action) {
        pool.forEach(action);
    }

    void clear() {
        pool.clear();
    }
}
