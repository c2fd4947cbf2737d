package dev.jvloop;

import java.time.Duration;
import java.util.concurrent.TimeoutException;

/**
 * A bounded queue between Java threads and Python coroutines: any number of both may send and receive. Made by
 * {@link Python#channel}; Python gets it as an argument, and awaits {@code channel.send(element)} and
 * {@code channel.receive()}, or iterates it ({@code async for}).
 *
 * <p>Every element goes to one receiver, in the order in which they were sent. Who has to wait in Java blocks its thread,
 * without the GIL; a virtual one is unmounted. A wait that ends early, by interruption, timeout or cancellation, has sent or
 * received nothing, and loses nothing.
 *
 * <p>What Python sends is converted to {@code T} then and there; what Java sends is converted as it is received in Python.
 * {@code None} is {@code null}.
 *
 * <p>Once the channel is closed, sending throws, and receiving does when all elements are taken. Whoever waits is woken.
 *
 * <p>The thread of a loop must not wait here, since no coroutine of it could do its part then: it gets an
 * {@link IllegalStateException} where it would have to.
 */
public interface PythonChannel<T> extends AutoCloseable {
    /** A channel is closed: nothing can be sent, and there is nothing more to receive. */
    final class ClosedException extends IllegalStateException {
        private static final long serialVersionUID = 1;

        /** Made by jvloop. */
        public ClosedException() {
            super("the channel is closed");
        }
    }

    /**
     * Waits for room, and puts an element into the channel.
     *
     * @throws ClosedException if the channel is closed, also while this waits
     */
    void send(T element) throws InterruptedException;

    /**
     * {@link #send(Object)} that waits no longer than {@code timeout}.
     *
     * @throws TimeoutException if there was no room until then
     */
    void send(T element, Duration timeout) throws InterruptedException, TimeoutException;

    /** Puts an element into the channel, if there is room now. */
    boolean trySend(T element);

    /**
     * Waits for an element, and takes it.
     *
     * @throws ClosedException if the channel is closed, and empty
     */
    T receive() throws InterruptedException;

    /**
     * {@link #receive()} that waits no longer than {@code timeout}.
     *
     * @throws TimeoutException if there was no element until then
     */
    T receive(Duration timeout) throws InterruptedException, TimeoutException;

    /** Takes nothing more. What is in the channel can still be received. Closing again does nothing. Any thread. */
    @Override
    void close();

    /** Whether it takes nothing more. */
    boolean isClosed();
}
