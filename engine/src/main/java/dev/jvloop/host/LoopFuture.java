package dev.jvloop.host;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A future that depends on what a loop does, so that the loop's thread cannot wait for it. */
class LoopFuture<T> extends CompletableFuture<T> {
    final HostLoop loop;

    LoopFuture(HostLoop loop) {
        this.loop = loop;
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new LoopFuture<>(loop);
    }

    @Override
    public T join() {
        checkWait();
        return super.join();
    }

    @Override
    public T get() throws InterruptedException, ExecutionException {
        checkWait();
        return super.get();
    }

    @Override
    public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        checkWait();
        return super.get(timeout, unit);
    }

    private void checkWait() {
        if (!isDone() && loop.isLoopThread()) {
            throw new IllegalStateException(
                    "the thread of the loop \"" + loop.name()
                            + "\" would wait for ever for what only it can do: add a stage to the future, or await it in Python");
        }
    }
}
