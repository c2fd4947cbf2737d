package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.jvloop.AsgiServer;
import dev.jvloop.Interest;
import dev.jvloop.Keywords;
import dev.jvloop.ListeningSocket;
import dev.jvloop.LoopWorkers;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import dev.jvloop.Reactor;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sockets that Java opened and Python serves. */
class HostedServeTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final Duration GRACE = Duration.ofSeconds(20);
    private static boolean hasFastApi;
    private static Python python;

    @BeforeAll
    static void start() {
        Optional<InterpreterProbe> fitting = Pythons.probedWithPackages("fastapi", "uvicorn");
        hasFastApi = fitting.isPresent();
        python = Python.configure()
                .interpreter(fitting.orElseGet(Pythons::probedOrAbort).executable())
                .start();
        python.exec("""
            import asyncio, threading

            lost = []

            class Echo(asyncio.Protocol):
                def connection_made(self, transport):
                    self.transport = transport

                def data_received(self, data):
                    self.transport.write(data.upper())

                def connection_lost(self, exception):
                    lost.append(exception)

            def no_protocol():
                raise LookupError("no protocol")
            """);
        if (hasFastApi) {
            python.exec("""
                import contextlib
                import fastapi

                events = []
                waiting = threading.Event()

                @contextlib.asynccontextmanager
                async def lifespan(app):
                    events.append("begin")
                    yield
                    await asyncio.sleep(0)
                    events.append("end")

                app = fastapi.FastAPI(lifespan=lifespan)

                @app.get("/add")
                async def add(a: int, b: int):
                    await asyncio.sleep(0)
                    return {"sum": a + b, "thread": threading.current_thread().name}

                @app.get("/slow")
                async def slow(seconds: float):
                    waiting.set()
                    await asyncio.sleep(seconds)
                    return "done"

                @contextlib.asynccontextmanager
                async def failing(app):
                    raise OSError("no database")
                    yield

                broken = fastapi.FastAPI(lifespan=failing)
                """);
        }
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close(GRACE);
        }
    }

    @BeforeEach
    void forgetEvents() {
        python.exec("lost.clear()");
        if (hasFastApi) {
            python.exec("events.clear(); waiting.clear()");
        }
    }

    private static void needsFastApi() {
        assumeTrue(
                hasFastApi,
                "no Python on PATH, nor that of the virtual environment JVLOOP_TEST_VENV, has fastapi and uvicorn");
    }

    private static <T> T within(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static Throwable causeOf(CompletableFuture<?> future) {
        return assertThrows(ExecutionException.class, () -> within(future)).getCause();
    }

    private static HttpRequest request(InetSocketAddress address, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + address.getPort() + path))
                .timeout(Duration.ofSeconds(60))
                .build();
    }

    /** By a connection of its own. */
    private static String get(InetSocketAddress address, String path) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request(address, path), HttpResponse.BodyHandlers.ofString())
                    .body();
        }
    }

    private static String events() {
        return python.eval("str(events)", String.class);
    }

    @Test
    void aFastApiApplicationIsServed() throws Exception {
        needsFastApi();
        PythonLoop loop = python.startLoop("served");
        InetSocketAddress address;
        AsgiServer server;
        try (ListeningSocket socket = ListeningSocket.bind(ANY_PORT)) {
            address = socket.address();
            server = within(loop.serveAsgi(socket, "__main__:app"));
        }
        assertEquals("['begin']", events());
        assertEquals("{\"sum\":5,\"thread\":\"jvloop loop served\"}", get(address, "/add?a=2&b=3"));
        assertTrue(get(address, "/add?a=x").contains("int_parsing"));
        within(server.stop(GRACE));
        within(server.end());
        assertEquals("['begin', 'end']", events());
        assertThrows(
                ConnectException.class, () -> new Socket(InetAddress.getLoopbackAddress(), address.getPort()).close());
        within(server.stop(GRACE));
        loop.close();
    }

    @Test
    void stoppingWaitsForARequestInProgress() throws Exception {
        needsFastApi();
        try (PythonLoop loop = python.startLoop("stopped");
                ListeningSocket socket = ListeningSocket.bind(ANY_PORT);
                HttpClient client = HttpClient.newHttpClient()) {
            AsgiServer server = within(loop.serveAsgi(socket, "__main__:app"));
            CompletableFuture<HttpResponse<String>> slow = client.sendAsync(
                    request(socket.address(), "/slow?seconds=0.2"), HttpResponse.BodyHandlers.ofString());
            assertTrue(python.eval("waiting.wait(60)").isTrue());
            CompletableFuture<Void> end = server.stop(GRACE);
            assertEquals("\"done\"", within(slow).body());
            within(end);
        }
    }

    @Test
    void aRequestThatTakesTooLongIsCancelled() throws Exception {
        needsFastApi();
        try (PythonLoop loop = python.startLoop("cancelled");
                ListeningSocket socket = ListeningSocket.bind(ANY_PORT);
                HttpClient client = HttpClient.newHttpClient()) {
            AsgiServer server = within(loop.serveAsgi(socket, "__main__:app"));
            CompletableFuture<HttpResponse<String>> slow = client.sendAsync(
                    request(socket.address(), "/slow?seconds=3600"), HttpResponse.BodyHandlers.ofString());
            assertTrue(python.eval("waiting.wait(60)").isTrue());
            within(server.stop(Duration.ofMillis(10)));
            boolean failed = within(slow.handle((response, e) -> e != null || response.statusCode() == 500));
            assertTrue(failed);
            assertEquals("['begin', 'end']", events());
        }
    }

    @Test
    void theEndOfTheLoopEndsItsServersFirst() throws Exception {
        needsFastApi();
        PythonLoop loop = python.startLoop("ended");
        try (ListeningSocket socket = ListeningSocket.bind(ANY_PORT)) {
            AsgiServer server = within(loop.serveAsgi(socket, "__main__:app"));
            loop.close();
            assertEquals("['begin', 'end']", events());
            within(server.end());
            within(server.stop(GRACE));
            assertInstanceOf(RejectedExecutionException.class, causeOf(loop.serveAsgi(socket, "__main__:app")));
        }
    }

    @Test
    void workersShareASocket() throws Exception {
        needsFastApi();
        try (ListeningSocket socket = ListeningSocket.bind(ANY_PORT);
                LoopWorkers workers = python.worker("shared").start(2)) {
            for (PythonLoop worker : workers.all()) {
                within(worker.serveAsgi(socket, "__main__:app"));
            }
            Set<String> seen = new HashSet<>();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (seen.size() < 2 && System.nanoTime() < deadline) {
                // Many at once, so that one loop cannot take them all.
                try (HttpClient client = HttpClient.newHttpClient()) {
                    List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 20)
                            .mapToObj(i -> client.sendAsync(
                                    request(socket.address(), "/add?a=1&b=1"), HttpResponse.BodyHandlers.ofString()))
                            .toList();
                    for (CompletableFuture<HttpResponse<String>> answer : answers) {
                        seen.add(within(answer).body());
                    }
                }
            }
            assertEquals(
                    Set.of(
                            "{\"sum\":2,\"thread\":\"jvloop loop shared-1\"}",
                            "{\"sum\":2,\"thread\":\"jvloop loop shared-2\"}"),
                    seen);
        }
    }

    @Test
    void whatKeepsAnApplicationFromStartingIsSaid() throws Exception {
        needsFastApi();
        try (PythonLoop loop = python.startLoop("failing");
                ListeningSocket socket = ListeningSocket.bind(ANY_PORT)) {
            PyException e = assertInstanceOf(PyException.class, causeOf(loop.serveAsgi(socket, "__main__:broken")));
            assertEquals("RuntimeError", e.pythonType());
            e = assertInstanceOf(PyException.class, causeOf(loop.serveAsgi(socket, "no_such_module:app")));
            assertEquals("ModuleNotFoundError", e.pythonType());
            e = assertInstanceOf(
                    PyException.class,
                    causeOf(loop.serveAsgi(socket, "__main__:app", Keywords.of("no_such_option", 1))));
            assertEquals("TypeError", e.pythonType());
            // None of these has ended the loop.
            assertEquals(1, within(loop.submit(int.class, python.eval("lambda: 1"))));
        }
    }

    // ---- accepted connections

    @Test
    void anAcceptedConnectionIsHandedOver() throws Exception {
        try (PythonLoop loop = python.startLoop("adopting");
                ListeningSocket socket = ListeningSocket.bind(ANY_PORT);
                Reactor reactor = Reactor.open();
                Socket client = new Socket(
                        InetAddress.getLoopbackAddress(), socket.address().getPort())) {
            List<CompletableFuture<PyObject>> adopted = new ArrayList<>();
            reactor.register(
                    socket.fd(),
                    Interest.READ,
                    (registration, ready) ->
                            adopted.add(loop.adopt(socket.accept().orElseThrow(), "__main__:Echo")));
            reactor.runOnce();
            PyObject pair = within(adopted.getFirst());
            assertEquals("jvloop._transport.StreamTransport", pair.item(0).typeName());
            client.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
            assertEquals("HELLO", new String(client.getInputStream().readNBytes(5), StandardCharsets.US_ASCII));
            client.shutdownOutput();
            assertEquals(-1, client.getInputStream().read());
        }
        assertEquals("[None]", python.eval("str(lost)", String.class));
    }

    @Test
    void aConnectionThatCannotBeServedIsClosed() throws Exception {
        PythonLoop loop = python.startLoop("not adopting");
        try (ListeningSocket socket = ListeningSocket.bind(ANY_PORT)) {
            assertIsClosed(socket, fd -> loop.adopt(fd, "__main__:no_protocol"), PyException.class);
            loop.close();
            assertIsClosed(socket, fd -> loop.adopt(fd, "__main__:Echo"), RejectedExecutionException.class);
        }
    }

    private interface Adoption {
        CompletableFuture<PyObject> of(int fd);
    }

    private static void assertIsClosed(ListeningSocket socket, Adoption adoption, Class<? extends Throwable> reason)
            throws Exception {
        try (Socket client =
                new Socket(InetAddress.getLoopbackAddress(), socket.address().getPort())) {
            int fd = socket.accept().orElseThrow();
            assertInstanceOf(reason, causeOf(adoption.of(fd)));
            client.setSoTimeout(60_000);
            assertEquals(-1, client.getInputStream().read());
        }
    }

    @Test
    void aConnectionWhoseAdoptionIsCancelledInTimeIsClosed() throws Exception {
        try (PythonLoop loop = python.startLoop("held up");
                ListeningSocket socket = ListeningSocket.bind(ANY_PORT);
                Socket client = new Socket(
                        InetAddress.getLoopbackAddress(), socket.address().getPort())) {
            PyObject go = python.eval("threading.Event()");
            CompletableFuture<PyObject> held = loop.submit(go.attribute("wait"), 60);
            CompletableFuture<PyObject> adopted =
                    loop.adopt(socket.accept().orElseThrow(), "__main__:Echo").orTimeout(1, TimeUnit.MILLISECONDS);
            assertInstanceOf(TimeoutException.class, causeOf(adopted));
            client.setSoTimeout(60_000);
            assertEquals(-1, client.getInputStream().read());
            go.callMethod("set");
            within(held);
        }
    }
}
