package dev.jvloop;

import java.util.concurrent.Executor;
import java.util.concurrent.Flow;

/**
 * The elements of a Python asynchronous iterable, as {@link PythonLoop#publish} makes it. It keeps the rules of Reactive
 * Streams.
 *
 * <p>Each subscription is a task on the loop. It takes an element from the iterable when one is demanded and not before:
 * an asynchronous generator never runs ahead. {@code cancel()} cancels the task: asyncio raises {@code CancelledError}
 * where the generator waits, or {@code GeneratorExit} at its {@code yield}, and its {@code finally} blocks run. What they
 * raise goes to asyncio's exception handler.
 *
 * <p>{@code onError} gets what Python raises, as a {@link PyException}; the {@link ClassCastException} or
 * {@link ArithmeticException} of an element that is no such value; a {@link NullPointerException} for {@code None} where
 * that would be {@code null}; a {@link java.util.concurrent.CancellationException} if the task was cancelled in Python, as
 * the loop does when it ends; a {@link java.util.concurrent.RejectedExecutionException} if the loop had ended before, or
 * the executor takes no more.
 *
 * <p>A subscriber that throws is unsubscribed; its executor gets what it threw.
 */
public interface PythonPublisher<T> extends Flow.Publisher<T> {
    /**
     * The same with all signals, {@code onSubscribe} too, given by this executor. Otherwise each subscriber has a virtual
     * thread while there are signals for it, so one that blocks keeps nobody else waiting. An executor that runs its tasks
     * in the calling thread runs some of them on the loop's, which then must not wait.
     */
    PythonPublisher<T> on(Executor executor);
}
