package dev.jvloop.host;

import dev.jvloop.capi.Initialization;
import dev.jvloop.capi.Lifecycle;
import dev.jvloop.py.Gil;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;

/**
 * Python's main thread: it starts the interpreter and ends it, as CPython asks, and waits in Java in between, without the
 * GIL.
 */
final class MainThread {
    /** CPython takes the stack of a main thread for granted. */
    static final long STACK_SIZE_BYTES = 16L << 20;

    private record Task(Runnable body, boolean isLast) {}

    private final BlockingQueue<Task> tasks = new LinkedBlockingQueue<>();

    /**
     * Starts the thread and the interpreter in it.
     *
     * @param prepare runs in Python, on the thread, first
     * @throws RuntimeException why CPython did not start, or what {@code prepare} threw
     */
    static MainThread start(String program, Runnable prepare) {
        MainThread main = new MainThread();
        CompletableFuture<Void> started = new CompletableFuture<>();
        Thread thread = new Thread(
                null, () -> main.live(program, prepare, started), "jvloop python main", STACK_SIZE_BYTES, false);
        // As all threads of a library: the program ends when its own have ended.
        thread.setDaemon(true);
        thread.start();
        Completion.of(started);
        return main;
    }

    private void live(String program, Runnable prepare, CompletableFuture<Void> started) {
        try {
            Initialization.initialize(program);
        } catch (Throwable t) {
            started.completeExceptionally(t);
            return;
        }
        try {
            prepare.run();
        } catch (Throwable t) {
            Lifecycle.Py_FinalizeEx();
            started.completeExceptionally(t);
            return;
        }
        started.complete(null);
        Task task;
        do {
            long state = Gil.release();
            task = take();
            Gil.acquire(state);
            task.body.run();
        } while (!task.isLast);
    }

    private Task take() {
        while (true) {
            try {
                return tasks.take();
            } catch (InterruptedException e) {
                // Nobody has a reason to interrupt this thread, which has to end the interpreter: take again.
            }
        }
    }

    /** Runs something in Python on this thread and waits for it. */
    void run(Runnable body) {
        submit(
                () -> {
                    body.run();
                    return null;
                },
                false);
    }

    /** Ends the interpreter, and the thread; false if what Python's files had buffered could not be written. */
    boolean end() {
        return submit(() -> Lifecycle.Py_FinalizeEx() == 0, true);
    }

    private <T> T submit(Supplier<T> body, boolean isLast) {
        CompletableFuture<T> done = new CompletableFuture<>();
        Runnable completing = () -> {
            try {
                done.complete(body.get());
            } catch (Throwable t) {
                done.completeExceptionally(t);
            }
        };
        tasks.add(new Task(completing, isLast));
        return Completion.of(done);
    }
}
