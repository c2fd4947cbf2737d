package dev.jvloop.host;

import dev.jvloop.PythonPublisher;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.function.LongSupplier;

/**
 * A Python asynchronous iterable for Java's subscribers.
 *
 * @param newIterable gives a new reference to what a subscription iterates, in Python on the loop's thread
 * @param type what the elements are converted to
 */
record AsyncIterablePublisher<T>(HostLoop loop, Class<T> type, LongSupplier newIterable, Executor executor)
        implements PythonPublisher<T> {
    AsyncIterablePublisher(HostLoop loop, Class<T> type, LongSupplier newIterable) {
        this(loop, type, newIterable, loop.interpreter().virtualThreads());
    }

    @Override
    public PythonPublisher<T> on(Executor other) {
        return new AsyncIterablePublisher<>(loop, type, newIterable, Objects.requireNonNull(other));
    }

    @Override
    public void subscribe(Flow.Subscriber<? super T> subscriber) {
        new AsyncIterableSubscription<>(this, Objects.requireNonNull(subscriber)).begin();
    }
}
