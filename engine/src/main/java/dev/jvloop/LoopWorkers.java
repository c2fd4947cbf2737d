package dev.jvloop;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Workers that share what there is to do. Every method may be called by any thread. */
public final class LoopWorkers implements AutoCloseable {
    private final List<LoopWorker> workers;
    private final AtomicInteger turn = new AtomicInteger();

    private LoopWorkers(List<LoopWorker> workers) {
        this.workers = workers;
    }

    /**
     * Workers that were started one by one.
     *
     * @throws IllegalArgumentException if there are none
     */
    public static LoopWorkers of(List<LoopWorker> workers) {
        if (workers.isEmpty()) {
            throw new IllegalArgumentException("no workers");
        }
        return new LoopWorkers(List.copyOf(workers));
    }

    /** All of them, always in the same order. */
    public List<LoopWorker> all() {
        return workers;
    }

    /** Each in turn. Those that do not run are passed over, unless none does. */
    public LoopWorker next() {
        LoopWorker worker = inTurn();
        for (int i = 1; i < workers.size() && !worker.isRunning(); i++) {
            worker = inTurn();
        }
        return worker;
    }

    private LoopWorker inTurn() {
        return workers.get(Math.floorMod(turn.getAndIncrement(), workers.size()));
    }

    /** For equal keys always the same one, running or not. */
    public LoopWorker of(Object key) {
        int hash = key.hashCode();
        // The hash codes of small numbers and of objects alike differ in few bits, and not always in the last ones.
        return workers.get(Math.floorMod((hash * 0x9e3779b9) >>> 16, workers.size()));
    }

    /** For a calling thread always the same one, running or not; threads that were made one after another take turns. */
    public LoopWorker ofCaller() {
        return workers.get((int) (Thread.currentThread().threadId() % workers.size()));
    }

    /** {@link #close(Duration)} with ten seconds. */
    @Override
    public void close() {
        close(Duration.ofSeconds(10));
    }

    /**
     * Ends all of them, at the same time: {@link LoopWorker#close(Duration)}.
     *
     * @throws IllegalStateException if some did not end: one for each is suppressed in the first one's
     */
    public void close(Duration grace) {
        workers.forEach(worker -> worker.stop(grace));
        IllegalStateException first = null;
        for (LoopWorker worker : workers) {
            try {
                worker.close(grace);
            } catch (IllegalStateException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
