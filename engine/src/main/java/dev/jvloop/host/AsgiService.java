package dev.jvloop.host;

import dev.jvloop.AsgiServer;
import dev.jvloop.PyObject;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A server of {@code _host_serve.py}. */
final class AsgiService implements AsgiServer {
    private final HostLoop loop;
    private final PyObject server;
    private final CompletableFuture<Void> end;

    AsgiService(HostLoop loop, PyObject server) {
        this.loop = loop;
        this.server = server;
        end = loop.submit(Void.class, server.attribute("wait"));
    }

    @Override
    public CompletableFuture<Void> end() {
        return end.copy();
    }

    @Override
    public CompletableFuture<Void> stop(Duration grace) {
        // It is refused only if the loop has ended, which ends the server too.
        CompletableFuture<Void> _ = loop.submit(Void.class, server.attribute("stop"), grace.toNanos() / 1e9);
        return end();
    }
}
