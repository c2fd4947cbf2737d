// An HTTP service in Java whose answers are made by async Python, in one process: the JDK's own server with a virtual
// thread for each request, aiohttp to fetch, numpy to compute. `make run-host` runs it, sends it requests and ends it.
//
//     java -Xss8m --enable-native-access=ALL-UNNAMED -cp engine/target/jvloop-engine.jar \
//         examples/java_host/MarketService.java [REQUESTS]
//
// The Python in $VIRTUAL_ENV, or else python3 on PATH, has to have aiohttp and numpy.

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.jvloop.PyException;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

static final List<String> SYMBOLS = List.of("ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO", "FOXTROT");
static final int DEFAULT_DEADLINE_MS = 30_000;
/** Requests that the demonstration has under way at a time. */
static final int AT_ONCE = 32;

record Answer(int status, String json) {}

void main(String[] arguments) throws Exception {
    int requests = arguments.length == 0 ? 500 : Integer.parseInt(arguments[0]);
    HttpServer prices = started(PriceServer::answer);
    try (Python python = Python.configure().searchPath(Path.of("examples", "java_host")).start()) {
        IO.println("CPython " + python.version() + " in Java " + Runtime.version());
        PythonLoop loop = python.loop();
        loop.submit("market", "connect", "http://127.0.0.1:" + prices.getAddress().getPort()).join();
        HttpServer service = started(exchange -> report(loop, exchange));
        try {
            drive(service.getAddress().getPort(), requests);
        } finally {
            service.stop(1);
            loop.submit("market", "disconnect").join();
        }
    } finally {
        prices.stop(0);
    }
    IO.println("Python and the service have ended.");
}

/** A server with a virtual thread for each request. */
static HttpServer started(HttpHandler handler) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1024);
    server.createContext("/", handler);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
    return server;
}

// ---- the service

/** GET /report?symbols=A,B[&deadline_ms=N]: what Python makes of it, or its error, or 504 when it takes too long. */
static void report(PythonLoop loop, HttpExchange exchange) throws IOException {
    Map<String, String> parameters = parameters(exchange);
    List<String> symbols = List.of(parameters.get("symbols").split(","));
    int deadline = Integer.parseInt(parameters.getOrDefault("deadline_ms", "" + DEFAULT_DEADLINE_MS));
    try {
        String json = loop.submit(String.class, "market", "report", symbols)
                .orTimeout(deadline, TimeUnit.MILLISECONDS) // cancels the fetches in Python, too
                .join();
        send(exchange, 200, json);
    } catch (CompletionException e) {
        switch (e.getCause()) {
            case TimeoutException _ -> send(exchange, 504, error("timeout", "no answer within " + deadline + " ms"));
            case PyException python -> {
                PyException root = root(python);
                send(exchange, 502, error(root.pythonType(), root.pythonMessage()));
            }
            default -> throw e;
        }
    }
}

/** A task group raises an exception group: what happened is the first exception in it. */
static PyException root(PyException e) {
    return e.getSuppressed().length > 0 && e.getSuppressed()[0] instanceof PyException first ? root(first) : e;
}

static String error(String type, String message) {
    return "{\"error\": \"%s\", \"message\": \"%s\"}".formatted(type, message.replace("\"", "'"));
}

static Map<String, String> parameters(HttpExchange exchange) {
    return Arrays.stream(exchange.getRequestURI().getQuery().split("&"))
            .map(parameter -> parameter.split("=", 2))
            .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1]));
}

static void send(HttpExchange exchange, int status, String json) throws IOException {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
}

// ---- where the prices come from: a server that takes its time

static class PriceServer {
    static void answer(HttpExchange exchange) throws IOException {
        String symbol = parameters(exchange).get("symbol");
        if (!SYMBOLS.contains(symbol) && !symbol.equals("SLOW")) {
            send(exchange, 404, "{}");
            return;
        }
        try {
            Thread.sleep(symbol.equals("SLOW") ? 60_000 : 5);
        } catch (InterruptedException e) {
            return;
        }
        send(exchange, 200, prices(symbol));
    }

    /** A random walk of a year, the same each time. */
    static String prices(String symbol) {
        SplittableRandom random = new SplittableRandom(symbol.hashCode());
        double[] price = {100};
        return IntStream.range(0, 250)
                .mapToObj(_ -> "%.3f".formatted(price[0] *= 1 + (random.nextDouble() - 0.5) / 25))
                .collect(Collectors.joining(", ", "[", "]"));
    }
}

// ---- the demonstration

static void drive(int port, int requests) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
        show(client, port, "ALFA,BRAVO,CHARLIE", 200);
        show(client, port, "ALFA,NOSUCH", 502);
        show(client, port, "ALFA,SLOW&deadline_ms=500", 504);
        ConcurrentLinkedQueue<Long> nanos = new ConcurrentLinkedQueue<>();
        long began = System.nanoTime();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Semaphore places = new Semaphore(AT_ONCE);
            List<Future<Boolean>> all = IntStream.range(0, requests)
                    .mapToObj(i -> threads.submit(() -> {
                        places.acquire();
                        long start = System.nanoTime();
                        String two = SYMBOLS.get(i % 6) + "," + SYMBOLS.get((i + 1 + i / 6 % 5) % 6);
                        check(get(client, port, two), 200);
                        places.release();
                        return nanos.add(System.nanoTime() - start);
                    }))
                    .toList();
            for (Future<Boolean> one : all) {
                one.get();
            }
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
        IO.println(("%d requests, %d at a time, each of two fetches and numpy's arithmetic: %.2f s, %.0f a second,"
                        + " median %.0f ms")
                .formatted(requests, AT_ONCE, seconds, requests / seconds, sorted[sorted.length / 2] / 1e6));
    }
}

static void show(HttpClient client, int port, String symbols, int status) throws Exception {
    Answer answer = get(client, port, symbols);
    IO.println("GET /report?symbols=" + symbols + " -> " + answer.status() + " " + answer.json());
    check(answer, status);
}

static void check(Answer answer, int status) {
    if (answer.status() != status) {
        throw new IllegalStateException("expected " + status + ", got " + answer);
    }
}

static Answer get(HttpClient client, int port, String symbols) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(
                    URI.create("http://127.0.0.1:" + port + "/report?symbols=" + symbols))
            .timeout(Duration.ofMinutes(1))
            .build();
    var response = client.send(request, BodyHandlers.ofString());
    return new Answer(response.statusCode(), response.body());
}
