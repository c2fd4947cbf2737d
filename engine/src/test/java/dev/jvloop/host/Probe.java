package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** A subscriber that keeps what it gets, and looks whether the signals are serial. */
class Probe<T> implements Flow.Subscriber<T> {
    private final long first;
    private final List<T> elements = new ArrayList<>();
    private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicBoolean isInside = new AtomicBoolean();
    private volatile String violationOrNull;
    private volatile Throwable errorOrNull;

    /** Demands {@code first} elements to begin with, unless that is 0. */
    Probe(long first) {
        this.first = first;
    }

    private void signal(Runnable what) {
        if (!isInside.compareAndSet(false, true)) {
            violationOrNull = "two signals at the same time";
        }
        if (hasEnded()) {
            violationOrNull = "a signal after the end";
        }
        what.run();
        isInside.set(false);
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        signal(() -> {
            if (!subscription.complete(given)) {
                violationOrNull = "subscribed twice";
            }
        });
        if (first > 0) {
            given.request(first);
        }
    }

    @Override
    public void onNext(T element) {
        signal(() -> {
            synchronized (elements) {
                elements.add(element);
                elements.notifyAll();
            }
        });
    }

    @Override
    public void onError(Throwable error) {
        signal(() -> errorOrNull = error);
        ended.countDown();
    }

    @Override
    public void onComplete() {
        signal(() -> {});
        ended.countDown();
    }

    void request(long n) {
        subscription.join().request(n);
    }

    void cancel() {
        subscription.join().cancel();
    }

    boolean hasEnded() {
        return ended.getCount() == 0;
    }

    List<T> elements() {
        synchronized (elements) {
            return List.copyOf(elements);
        }
    }

    /** Waits for the end: its error, or null. */
    Throwable end() throws InterruptedException {
        assertTrue(
                ended.await(60, TimeUnit.SECONDS),
                () -> "no end after " + elements().size());
        assertTrue(violationOrNull == null, () -> violationOrNull);
        return errorOrNull;
    }

    /** Waits until so many elements are there. */
    void await(int count) throws InterruptedException {
        synchronized (elements) {
            while (elements.size() < count) {
                elements.wait(60_000);
            }
        }
    }
}
