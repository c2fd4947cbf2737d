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
    private final Set<Worker> workers = ConcurrentHashMap.newKeySet();
    private final AtomicReference<HostLoop> common = new AtomicReference<>();
    private final LoopBeans beansOrNull;
    private volatile boolean closed;

    /** @param management whether they are shown in JMX */
    Loops(Interpreter interpreter, boolean management) {
        this.interpreter = interpreter;
        beansOrNull = management ? new LoopBeans() : null;
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
        HostLoop loop = HostLoop.start(interpreter, name, this::remove);
        running.add(loop);
        if (beansOrNull != null) {
            beansOrNull.add(loop);
        }
        if (closed) {
            loop.close();
            throw PythonThreads.closed();
        }
        if (!loop.isRunning()) {
            // It has ended already, and removed itself before it was added.
            remove(loop);
        }
        return loop;
    }

    private void remove(HostLoop loop) {
        running.remove(loop);
        if (beansOrNull != null) {
            beansOrNull.remove(loop);
        }
    }

    /** Starts a worker, which starts its loops here. */
    Worker startWorker(Worker worker) {
        workers.add(worker);
        worker.start();
        return worker;
    }

    /** A worker has ended for good. */
    void remove(Worker worker) {
        workers.remove(worker);
    }

    boolean isLoopThread() {
        return running.stream().anyMatch(HostLoop::isLoopThread);
    }

    /** Ends all of them, at the same time. */
    void close(Duration grace) {
        closed = true;
        // None that is not in this list will get a loop.
        List<Worker> supervised = List.copyOf(workers);
        supervised.forEach(worker -> worker.stop(grace));
        List<HostLoop> all = List.copyOf(running);
        all.forEach(loop -> loop.beginClose(grace));
        supervised.forEach(worker -> worker.close(grace));
        all.forEach(loop -> loop.awaitEnd(grace));
    }
}
