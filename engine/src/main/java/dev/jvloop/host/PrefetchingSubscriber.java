package dev.jvloop.host;

import dev.jvloop.capi.PyErrors;
import dev.jvloop.capi.Tuples;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Gil;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The way of elements from a publisher, on whatever thread, to a coroutine, which takes what there is at once.
 *
 * <p>Of {@code prefetch} elements half are asked for anew whenever half have been used up: so neither side waits for the
 * other at each element, and no more than {@code prefetch} are ever on their way.
 */
final class PrefetchingSubscriber extends StreamHalf implements Flow.Subscriber<Object> {
    /** How it ended. */
    private record End(Throwable errorOrNull) {}

    private final int prefetch;
    /** A batch has no more elements, and so many are asked for at once. */
    private final int half;

    private final Queue<Object> elements = new ConcurrentLinkedQueue<>();
    private final AtomicReference<Flow.Subscription> subscription = new AtomicReference<>();
    private volatile End endOrNull;
    private volatile boolean isCancelled;
    /** How many were given out and not asked for anew. The loop's thread only. */
    private int used;
    /** An element that has no counterpart in Python, while those before it are given out. The loop's thread only. */
    private Object misfitOrNull;

    PrefetchingSubscriber(int prefetch) {
        this.prefetch = prefetch;
        half = prefetch - prefetch / 2;
    }

    // ---- the publisher's threads

    @Override
    public void onSubscribe(Flow.Subscription given) {
        if (!subscription.compareAndSet(null, Objects.requireNonNull(given)) || isCancelled) {
            given.cancel();
            return;
        }
        given.request(prefetch);
    }

    @Override
    public void onNext(Object element) {
        elements.add(Objects.requireNonNull(element));
        wake();
    }

    @Override
    public void onError(Throwable error) {
        endOrNull = new End(Objects.requireNonNull(error));
        wake();
    }

    @Override
    public void onComplete() {
        endOrNull = new End(null);
        wake();
    }

    // ---- the loop's thread

    @Override
    boolean isReady() {
        return endOrNull != null || !elements.isEmpty();
    }

    /**
     * A new reference to a tuple of elements, empty if one has to wait; None at the end. Those of the batch before are
     * used up.
     *
     * @throws PythonError the publisher's error, at the end; TypeError for an element that has no counterpart
     */
    long newBatch() {
        Flow.Subscription asked = subscription.get();
        if (used >= half && asked != null) {
            int more = used;
            used = 0;
            Gil.without(() -> {
                asked.request(more);
                return null;
            });
        }
        // The end first: what was sent before it is in the queue then.
        End end = endOrNull;
        Object[] batch = new Object[half];
        int count = 0;
        Object element = misfitOrNull == null ? elements.poll() : misfitOrNull;
        while (element != null) {
            batch[count++] = element;
            element = count < half ? elements.poll() : null;
        }
        if (count == 0 && end != null) {
            if (end.errorOrNull != null) {
                throw JavaErrors.raised(end.errorOrNull);
            }
            return Py.newNone();
        }
        used += count;
        return newTuple(batch, count);
    }

    private long newTuple(Object[] batch, int count) {
        long[] ownedElements = new long[count];
        int converted = 0;
        try {
            while (converted < count) {
                ownedElements[converted] = ToPython.newObject(batch[converted]);
                converted++;
            }
        } catch (PythonError | IllegalArgumentException e) {
            if (converted == 0) {
                throw e instanceof PythonError ? e : PyErr.raise(PyErr.TYPE_ERROR, e.getMessage());
            }
            // First those before it; the next batch begins, and ends, with it.
            PyErrors.PyErr_Clear();
            misfitOrNull = batch[converted];
        }
        long ownedTuple = PyErr.checked(Tuples.PyTuple_New(converted));
        for (int i = 0; i < converted; i++) {
            Memory.putLong(Py.tupleItems(ownedTuple) + 8L * i, ownedElements[i]);
        }
        return ownedTuple;
    }

    /** Ends the subscription. What comes all the same is dropped with this object. */
    void cancel() {
        isCancelled = true;
        forgetWaiter();
        Flow.Subscription asked = subscription.get();
        if (asked != null && endOrNull == null) {
            Gil.without(() -> {
                asked.cancel();
                return null;
            });
        }
        elements.clear();
    }
}
