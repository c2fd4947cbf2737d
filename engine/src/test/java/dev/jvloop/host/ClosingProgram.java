package dev.jvloop.host;

import dev.jvloop.PyBuffer;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** A Java program that ends Python in one of several ways, and says how it went. */
final class ClosingProgram {
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Duration LONG = Duration.ofSeconds(60);

    private ClosingProgram() {}

    public static void main(String[] args) throws Throwable {
        System.setProperty("java.util.logging.SimpleFormatter.format", "%4$s: %5$s%n");
        Python python = Python.configure().interpreter(Path.of(args[1])).start();
        python.exec("import threading\ninside = threading.Event()");
        switch (args[0]) {
            case "idle" -> idle(python);
            case "busy" -> busy(python);
            case "stuck" -> stuck(python);
            case "memory" -> memory(python);
            case "loops" -> loops(python);
            default -> say("not closing");
        }
    }

    private static void idle(Python python) throws InterruptedException {
        python.exec("import atexit; atexit.register(print, 'exit handler'); print('printed')");
        PyObject handle = python.eval("object()");
        // One thread that has been in Python and lives on, one that has ended.
        Thread.ofPlatform().start(() -> python.exec("pass")).join();
        Thread.ofVirtual().start(() -> python.exec("pass")).join();
        python.close();
        say("closed");
        refused("call after close", () -> python.exec("pass"));
        refused("handle after close", handle::str);
        handle.close();
        python.close();
        refused("second start", () -> Python.configure().start());
    }

    private static void busy(Python python) throws InterruptedException {
        Thread busy =
                Thread.ofPlatform().name("the busy one").start(() -> exec(python, "inside.set()\nwhile True: pass"));
        python.exec("inside.wait()");
        python.close(SHORT);
        busy.join();
        say("closed");
    }

    /** One loop's task waits, one's keeps its thread, and threads submit and call all the while. */
    private static void loops(Python python) throws InterruptedException {
        python.exec("""
            import asyncio
            both = threading.Barrier(3)
            async def waiting():
                both.wait()
                try:
                    await asyncio.sleep(3600)
                finally:
                    print("cancelled", flush=True)
            async def spinning():
                both.wait()
                while True: pass
            """);
        CompletableFuture<PyObject> waiting = python.loop().submit("__main__", "waiting");
        CompletableFuture<PyObject> spinning = python.startLoop("spinning").submit("__main__", "spinning");
        python.eval("both.wait()").close();
        PythonLoop loop = python.loop();
        List<Thread> busy = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            busy.add(Thread.ofVirtual().start(() -> {
                while (loop.isRunning()) {
                    loop.submit("asyncio", "sleep", 0).exceptionally(e -> null).join();
                }
            }));
            busy.add(Thread.ofPlatform().start(() -> exec(python, "while True: threading.Event().wait(0.001)")));
        }
        // The spinning loop and the busy threads use it up, then are interrupted, and have as long to leave.
        python.close(Duration.ofSeconds(2));
        for (Thread thread : busy) {
            thread.join();
        }
        say("closed");
        say("waiting: " + how(waiting));
        say("spinning: " + how(spinning));
    }

    private static String how(CompletableFuture<?> future) {
        try {
            return "" + future.join();
        } catch (CancellationException e) {
            return "cancelled";
        } catch (CompletionException e) {
            return ((PyException) e.getCause()).pythonType();
        }
    }

    private static void stuck(Python python) throws InterruptedException, IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            // A lock is waited for in C; what lets go of it is a thread of Python's, when its connection ends.
            python.exec("""
                import socket
                lock = threading.Lock()
                lock.acquire()
                def let_go(connection):
                    connection.recv(1)
                    lock.release()
                def let_go_later(port):
                    connection = socket.create_connection(("127.0.0.1", port))
                    threading.Thread(target=let_go, args=(connection,), daemon=True).start()
                """);
            python.call("__main__", "let_go_later", server.getLocalPort());
            Thread sleeper = new Thread(() -> exec(python, "inside.set()\nlock.acquire()"), "the sleeper");
            sleeper.start();
            python.exec("inside.wait()");
            refused("not closed", () -> python.close(SHORT));
            refused("call meanwhile", () -> python.exec("pass"));
            server.accept().close();
            python.close(LONG);
            sleeper.join();
            say("closed at last");
        }
    }

    private static void memory(Python python) throws Throwable {
        PyBuffer buffer = python.eval("bytearray(b'pythons')").buffer();
        MemorySegment pythons = buffer.segment();
        python.exec("class Kept: pass\nkept = Kept()");
        Arena viewed = python.arena();
        Arena sliced = python.arena();
        MemorySegment javas = sliced.allocateFrom("javas");
        PyObject kept = python.eval("kept");
        kept.setAttribute("view", viewed.allocate(8));
        kept.setAttribute("slice", javas);
        // A handle keeps it when Python ends.
        python.exec("kept.slice = kept.slice[1:]");
        PyBuffer busy = python.eval("bytearray(b'busy')").buffer();
        CSort.sort(busy.segment(), python::close);
        say("closed");
        byte[] sorted = busy.segment().toArray(ValueLayout.JAVA_BYTE);
        say("what a function of C had: " + new String(sorted, StandardCharsets.US_ASCII));
        busy.close();
        refused("Python's memory", () -> pythons.get(ValueLayout.JAVA_BYTE, 0));
        buffer.close();
        refused("arena of a view", viewed::close);
        refused("arena of a slice", sliced::close);
        say("Java's memory: " + javas.getString(0));
    }

    private static void exec(Python python, String source) {
        try {
            python.exec(source);
        } catch (PyException e) {
            say("interrupted: " + e.pythonType());
        }
    }

    private static void refused(String what, Runnable action) {
        try {
            action.run();
            say(what + ": works");
        } catch (IllegalStateException e) {
            say(what + ": " + e.getMessage());
        }
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
