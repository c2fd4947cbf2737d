package dev.jvloop.host;

import dev.jvloop.py.Calls;
import dev.jvloop.py.Gil;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.PythonError;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The way of elements from a coroutine, {@code pump} in _host_streams.py, to a subscriber.
 *
 * <p>The coroutine takes an element from its iterable as long as there is demand, and then waits for more: a demand that
 * comes while it runs costs the loop nothing. Elements are queued here, and one task of the executor at a time gives the
 * subscriber what there is.
 */
final class AsyncIterableSubscription<T> extends StreamHalf implements Flow.Subscription, Runnable {
    private static final long ELEMENTS = Namespace.object("type.DemandedElements");
    private static final long PUMP = Namespace.object("helper.pump");

    /** How it ended. */
    private record End(Throwable errorOrNull) {}

    private final AsyncIterablePublisher<T> publisher;
    private final Submission<Void> task;
    private final Queue<T> elements = new ConcurrentLinkedQueue<>();
    /** How many elements were asked for in all; {@code Long.MAX_VALUE} is without limit. */
    private final AtomicLong demanded = new AtomicLong();
    /** How many were put into the queue. The loop's thread only. */
    private long taken;

    private final AtomicReference<End> end = new AtomicReference<>();
    private volatile boolean isCancelled;
    /** How often something has changed that the subscriber is to be told; who makes it 1 has the executor do it. */
    private final AtomicInteger changes = new AtomicInteger();
    /** Null once there is nothing more to tell. What the executor runs, only. */
    private Flow.Subscriber<? super T> subscriber;

    private boolean isSubscribed;

    AsyncIterableSubscription(AsyncIterablePublisher<T> publisher, Flow.Subscriber<? super T> subscriber) {
        this.publisher = publisher;
        this.subscriber = subscriber;
        task = new Submission<>(publisher.loop(), this::newPump, Void.class);
    }

    // ---- any thread

    void begin() {
        tell();
        var _ = task.whenComplete((nothing, e) -> end(e));
        publisher.loop().begin(task);
    }

    @Override
    public void request(long n) {
        if (n <= 0) {
            stop(new IllegalArgumentException("non-positive subscription request: " + n));
            tell();
            return;
        }
        demanded.accumulateAndGet(n, (before, more) -> before + more < 0 ? Long.MAX_VALUE : before + more);
        wake();
    }

    @Override
    public void cancel() {
        isCancelled = true;
        task.cancel(true);
    }

    /** Ends it from here: what was taken is delivered, then the error. */
    private void stop(Throwable error) {
        end.compareAndSet(null, new End(error));
        task.cancel(true);
    }

    private void end(Throwable errorOrNull) {
        if (end.compareAndSet(null, new End(errorOrNull))) {
            tell();
        }
    }

    private boolean hasEnded() {
        return isCancelled || end.get() != null;
    }

    @Override
    boolean isReady() {
        return hasDemand();
    }

    // ---- on the loop's thread

    private long newPump() {
        long ownedIterable = publisher.newIterable().getAsLong();
        return Owned.releasing(ownedIterable, () -> {
            long ownedHalf = JavaReference.newFor(this);
            long ownedElements = Calls.newResult(ELEMENTS, new Calls.Owned(ownedHalf));
            return Calls.newResult(PUMP, ownedIterable, new Calls.Owned(ownedElements));
        });
    }

    /** Whether an element is to be taken from the iterable. */
    boolean hasDemand() {
        return demanded.get() > taken && !hasEnded();
    }

    /**
     * Whether the task was cancelled from here. One that has no demand any more waits for that, since it may come at any
     * time, and would interrupt the iterable as it cleans up.
     */
    boolean wasCancelled() {
        return task.wasCancelled();
    }

    /** Takes an element over, while there {@link #hasDemand}. */
    void put(long element) {
        T value;
        try {
            value = publisher.loop().interpreter().cast(element, publisher.type());
            if (value == null) {
                throw new NullPointerException(
                        "None is no element of a publisher, unless as an Optional or a PyObject");
            }
        } catch (PythonError e) {
            throw e;
        } catch (RuntimeException e) {
            stop(e);
            tellWithoutGil();
            return;
        }
        taken++;
        elements.add(value);
        tellWithoutGil();
    }

    private void tellWithoutGil() {
        if (changes.getAndIncrement() != 0) {
            return;
        }
        if (publisher.executor() == publisher.loop().interpreter().virtualThreads()) {
            // Starting one calls nothing of the program's, and waits for nobody.
            execute();
        } else {
            Gil.without(() -> {
                execute();
                return null;
            });
        }
    }

    // ---- telling the subscriber

    /** Has the executor tell the subscriber what there is. */
    private void tell() {
        if (changes.getAndIncrement() == 0) {
            execute();
        }
    }

    private void execute() {
        Executor executor = publisher.executor();
        try {
            executor.execute(this);
        } catch (RejectedExecutionException e) {
            stop(e);
            run();
        }
    }

    @Override
    public void run() {
        int seen = changes.get();
        do {
            tellAll();
            seen = changes.addAndGet(-seen);
        } while (seen != 0);
    }

    private void tellAll() {
        try {
            tellNews();
        } catch (Throwable t) {
            subscriber = null;
            cancel();
            throw t;
        }
    }

    private void tellNews() {
        if (subscriber != null && !isSubscribed) {
            isSubscribed = true;
            subscriber.onSubscribe(this);
        }
        // The end first: what was taken before it is in the queue then.
        End endOrNull = end.get();
        T element;
        while (subscriber != null && !isCancelled && (element = elements.poll()) != null) {
            subscriber.onNext(element);
        }
        if (isCancelled) {
            subscriber = null;
        }
        if (subscriber == null) {
            elements.clear();
        } else if (endOrNull != null) {
            finish(endOrNull);
        }
    }

    private void finish(End how) {
        Flow.Subscriber<? super T> last = subscriber;
        subscriber = null;
        if (how.errorOrNull == null) {
            last.onComplete();
        } else {
            last.onError(how.errorOrNull);
        }
    }
}
