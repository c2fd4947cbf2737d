package dev.jvloop.host;

import dev.jvloop.AsgiServer;
import dev.jvloop.Keywords;
import dev.jvloop.ListeningSocket;
import dev.jvloop.PyObject;
import dev.jvloop.linux.SystemCalls;
import dev.jvloop.py.Calls;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/** Sockets that Java opened, in the hands of a loop. */
final class Serving {
    private Serving() {}

    static CompletableFuture<AsgiServer> serveAsgi(
            HostLoop loop, ListeningSocket socket, String application, Keywords options) {
        int fd = socket.fd();
        return loop.submit(
                        PyObject.class,
                        () -> JavaArguments.with(
                                options.asMap(),
                                ownedOptions -> Calls.newResult(
                                        HostNames.SERVE_ASGI,
                                        loop.loopRun(),
                                        Calls.integer(fd),
                                        Calls.string(application),
                                        ownedOptions)))
                .thenApply(server -> new AsgiService(loop, server));
    }

    static CompletableFuture<PyObject> adopt(HostLoop loop, int fd, String protocolFactory) {
        // Whose the descriptor is: the loop takes it, or it is closed here.
        AtomicBoolean isTaken = new AtomicBoolean();
        CompletableFuture<PyObject> connected = loop.submit(PyObject.class, () -> {
            if (!isTaken.compareAndSet(false, true)) {
                throw new CancellationException();
            }
            return Calls.newResult(HostNames.ADOPT, loop.loopRun(), Calls.integer(fd), Calls.string(protocolFactory));
        });
        CompletableFuture<PyObject> _ = connected.whenComplete((result, exception) -> {
            if (isTaken.compareAndSet(false, true)) {
                new SystemCalls().close(fd);
            }
        });
        return connected;
    }
}
