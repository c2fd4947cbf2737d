package dev.jvloop.host;

import dev.jvloop.PythonChannel;
import dev.jvloop.host.ChannelElements.Waiter;
import dev.jvloop.py.Calls;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** A channel: the waiting of Java's threads, and the part of Python's coroutines, {@code JavaChannel} in _host_streams.py. */
final class Channel<T> implements PythonChannel<T> {
    private static final long TYPE = Namespace.object("type.JavaChannel");
    private static final long CLOSED = Namespace.object("type.ChannelClosedError");
    private static final long NOTHING = Namespace.object("type.Nothing");

    private final Interpreter interpreter;
    private final Class<T> type;
    private final ChannelElements elements;

    Channel(Interpreter interpreter, Class<T> type, int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("the capacity of a channel is 1 or more: " + capacity);
        }
        this.interpreter = interpreter;
        this.type = type;
        elements = new ChannelElements(capacity);
    }

    // ---- Java's threads

    @Override
    public boolean trySend(T element) {
        if (elements.add(element)) {
            return true;
        }
        if (elements.isClosed()) {
            throw new ClosedException();
        }
        return false;
    }

    @Override
    public void send(T element) throws InterruptedException {
        Object _ = resultOrNull(elements.senders, () -> trySend(element) ? this : null, Long.MAX_VALUE);
    }

    @Override
    public void send(T element, Duration timeout) throws InterruptedException, TimeoutException {
        if (resultOrNull(elements.senders, () -> trySend(element) ? this : null, nanos(timeout)) == null) {
            throw new TimeoutException("no room in the channel for " + timeout);
        }
    }

    private Object takenOrNull() {
        Object takenOrNull = elements.pollOrNull();
        if (takenOrNull == null && elements.hasEnded()) {
            throw new ClosedException();
        }
        return takenOrNull;
    }

    @Override
    public T receive() throws InterruptedException {
        return value(resultOrNull(elements.receivers, this::takenOrNull, Long.MAX_VALUE));
    }

    @Override
    public T receive(Duration timeout) throws InterruptedException, TimeoutException {
        Object takenOrNull = resultOrNull(elements.receivers, this::takenOrNull, nanos(timeout));
        if (takenOrNull == null) {
            throw new TimeoutException("no element in the channel for " + timeout);
        }
        return value(takenOrNull);
    }

    @SuppressWarnings("unchecked")
    private T value(Object taken) {
        return (T) elements.value(taken);
    }

    private static long nanos(Duration timeout) {
        return TimeUnit.NANOSECONDS.convert(timeout);
    }

    /** Tries until there is a result, and waits in between; null if there is none after {@code limitNanos}. */
    private Object resultOrNull(Queue<Waiter> waiters, Supplier<Object> attempt, long limitNanos)
            throws InterruptedException {
        Object resultOrNull = attempt.get();
        if (resultOrNull != null) {
            return resultOrNull;
        }
        if (interpreter.isLoopThread()) {
            throw new IllegalStateException("the thread of a loop must not wait for a channel: await it in Python");
        }
        long begin = System.nanoTime();
        while (true) {
            Semaphore wakes = new Semaphore(0);
            Waiter waiter = () -> {
                wakes.release();
                return true;
            };
            boolean isWoken = false;
            waiters.add(waiter);
            try {
                // First say that one waits, then look; who wakes does it the other way round.
                resultOrNull = attempt.get();
                if (resultOrNull != null) {
                    return resultOrNull;
                }
                isWoken = wakes.tryAcquire(limitNanos - (System.nanoTime() - begin), TimeUnit.NANOSECONDS);
            } finally {
                if (!isWoken) {
                    ChannelElements.giveUp(waiters, waiter);
                }
            }
            resultOrNull = attempt.get();
            if (resultOrNull != null || !isWoken) {
                return resultOrNull;
            }
        }
    }

    @Override
    public void close() {
        elements.close();
    }

    @Override
    public boolean isClosed() {
        return elements.isClosed();
    }

    // ---- Python's coroutines: in Python

    /** A new reference to a Python object for the channel. */
    long newObject() {
        return Calls.newResult(TYPE, new Calls.Owned(JavaReference.newFor(this)));
    }

    /** Adds an element: a new reference to None, or to {@code Nothing} if there is no room. */
    long newAdded(long element) {
        if (elements.isFull()) {
            return newFull();
        }
        T value;
        try {
            value = interpreter.cast(element, type);
        } catch (ClassCastException | ArithmeticException e) {
            throw PyErr.raise(PyErr.TYPE_ERROR, e.getMessage());
        }
        return elements.add(value) ? Py.newNone() : newFull();
    }

    private long newFull() {
        if (elements.isClosed()) {
            throw raisedClosed();
        }
        return Refs.incref(NOTHING);
    }

    /** Takes an element: a new reference to it, or to {@code Nothing} if there is none now. */
    long newTaken() {
        Object takenOrNull = elements.pollOrNull();
        if (takenOrNull != null) {
            try {
                return ToPython.newObject(elements.value(takenOrNull));
            } catch (IllegalArgumentException e) {
                throw PyErr.raise(PyErr.TYPE_ERROR, e.getMessage());
            }
        }
        if (elements.hasEnded()) {
            throw raisedClosed();
        }
        return Refs.incref(NOTHING);
    }

    private static PythonError raisedClosed() {
        return PyErr.raise(CLOSED, "the channel is closed");
    }

    /** A new reference to what stands for a coroutine that waits in a future from now on. */
    long newWait(boolean forRoom, long pythonLoop, long future) {
        CoroutineWaiter waiter =
                new CoroutineWaiter(pythonLoop, future, forRoom ? elements.senders : elements.receivers);
        long ownedWait = JavaReference.newFor(waiter);
        waiter.waiters.add(waiter);
        return ownedWait;
    }

    /** Ends a wait of {@link #newWait} that did not end by itself. */
    static void giveUp(long wait) {
        CoroutineWaiter waiter = (CoroutineWaiter) JavaReference.get(wait);
        waiter.forget();
        ChannelElements.giveUp(waiter.waiters, waiter);
    }

    private static final class CoroutineWaiter extends LoopWaiter implements Waiter {
        final Queue<Waiter> waiters;

        CoroutineWaiter(long pythonLoop, long future, Queue<Waiter> waiters) {
            super(pythonLoop, future);
            this.waiters = waiters;
        }

        @Override
        public void reject() {
            super.reject();
            ChannelElements.wakeOne(waiters);
        }
    }
}
