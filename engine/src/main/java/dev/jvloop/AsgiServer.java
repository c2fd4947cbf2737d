package dev.jvloop;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** An ASGI application that a loop serves: {@link PythonLoop#serveAsgi}. Every method may be called by any thread. */
public interface AsgiServer {
    /** Completes when it serves no more; with a {@link PyException} if it failed. */
    CompletableFuture<Void> end();

    /**
     * Ends it: it accepts no more, requests in progress get {@code grace} and are cancelled then, the application's
     * lifespan ends. Stopping again does nothing.
     *
     * @return {@link #end()}
     */
    CompletableFuture<Void> stop(Duration grace);
}
