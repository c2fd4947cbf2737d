package dev.jvloop.host;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/** Code that may take long, on a virtual thread. Cancelling the future interrupts the thread. */
final class BlockingCall extends CompletableFuture<Object> {
    private final Thread thread;

    BlockingCall(String threadName, Callable<Object> body) {
        thread = Thread.ofVirtual().name(threadName).unstarted(() -> {
            try {
                complete(body.call());
            } catch (Throwable t) {
                completeExceptionally(t);
            }
        });
    }

    void start() {
        thread.start();
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        if (cancelled && mayInterruptIfRunning) {
            thread.interrupt();
        }
        return cancelled;
    }
}
