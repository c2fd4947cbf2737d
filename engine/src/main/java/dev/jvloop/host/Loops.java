package dev.jvloop.host;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/** The loops of the interpreter. */
final class Loops {
    private final Interpreter interpreter;
    private final Set<HostLoop> running = ConcurrentHashMap.newKeySet();
    private final AtomicReference<HostLoop> common = new AtomicReference<>();
    private volatile boolean closed;

    Loops(Interpreter interpreter) {
        this.interpreter = interpreter;
    }

    /** The one that is there without being asked for by name. */
    HostLoop common() {
        HostLoop formerOrNull = common.get();
        if (formerOrNull != null && formerOrNull.isRunning()) {
            return formerOrNull;
        }
        // Without a lock: others would wait for it while the loop's thread waits for the GIL, which they may hold.
        HostLoop loop = start("main");
        if (common.compareAndSet(formerOrNull, loop)) {
            return loop;
        }
        loop.close();
        return common();
    }

    HostLoop start(String name) {
        if (closed) {
            throw PythonThreads.closed();
        }
        HostLoop loop = HostLoop.start(interpreter, name, running::remove);
        running.add(loop);
        if (closed) {
            loop.close();
            throw PythonThreads.closed();
        }
        if (!loop.isRunning()) {
            // It has ended already, and removed itself before it was added.
            running.remove(loop);
        }
        return loop;
    }

    /** Ends all of them, at the same time. */
    void close(Duration grace) {
        closed = true;
        List<HostLoop> all = List.copyOf(running);
        all.forEach(loop -> loop.beginClose(grace));
        all.forEach(loop -> loop.awaitEnd(grace));
    }
}
