package dev.jvloop;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;

/**
 * A loop on a thread of its own that is supervised: it runs a main coroutine, or only what it is given, and is started
 * again when it fails, as its {@link RestartPolicy} says. Each start is a new loop on a new thread.
 *
 * <p>What ends a run: the end of the main coroutine; SystemExit or KeyboardInterrupt in any of its tasks; Python code
 * that stops the loop; {@link #stop}. A task's other exceptions are its own, and do not. At the end of a run its tasks are
 * cancelled. Between two runs there is no loop: what is submitted then, as what is submitted after the end, fails at once
 * with a {@link java.util.concurrent.RejectedExecutionException}.
 *
 * <p>Every method may be called by any thread. What asks for the loop is answered for that of the last run if there is none
 * now. A publisher is that loop's: after its end it refuses subscribers.
 */
public interface LoopWorker extends PythonLoop {
    /** Where a worker is in its life. */
    enum State {
        /** A loop is being started. */
        STARTING,
        /** The loop runs. */
        RUNNING,
        /** The loop is ending its tasks, and itself. */
        STOPPING,
        /** The loop has ended, and another one is started after a delay. */
        RESTARTING,
        /** It has ended for good, by {@link #stop}, or because its main coroutine returned. */
        ENDED,
        /** It has ended for good, by a failure. */
        FAILED
    }

    /** What a worker is started with. Not for use by several threads at once. */
    interface Builder {
        /**
         * The coroutine function that each run begins with, and ends with.
         *
         * @param function {@code module:function}; the module is imported if it was not yet
         * @param arguments as {@link PythonLoop#submit(String, String, Object...)} takes them
         * @throws IllegalArgumentException if there is no colon in {@code function}
         */
        Builder main(String function, Object... arguments);

        /** Whether it is started again; without this call never. */
        Builder restart(RestartPolicy policy);

        /**
         * Is told of each change of state, in order, on the virtual thread that supervises the worker, which waits for
         * it. What it throws is logged.
         */
        Builder listener(BiConsumer<LoopWorker, State> listener);

        /**
         * Starts the worker, and returns when its loop runs.
         *
         * @throws IllegalStateException if Python was closed
         */
        LoopWorker start();

        /** Starts so many alike, with the numbers from 1 on behind their names. */
        LoopWorkers start(int count);
    }

    /** Where it is in its life. */
    State state();

    /** Why its last run ended; null while the first one goes on. */
    ExitReason exitReasonOrNull();

    /** How often it was started again. */
    int restartCount();

    /** Completes with the last exit reason when it has ended for good. Completing or cancelling the future does nothing. */
    CompletableFuture<ExitReason> end();

    /** Begins to end it, as {@link #close(Duration)} does, and returns at once: {@link #end()} tells. */
    void stop(Duration grace);

    /**
     * Ends it for good: {@link PythonLoop#close(Duration)}. If it was being stopped already, that goes on with the grace
     * that it was given, and this waits for it.
     *
     * @throws IllegalStateException if the calling thread is the loop's own or that of a listener, or if the loop's thread
     *     did not end
     */
    @Override
    void close(Duration grace);
}
