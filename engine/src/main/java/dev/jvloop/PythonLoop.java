package dev.jvloop;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * An asyncio event loop that runs on a thread of its own, and takes coroutines from Java.
 *
 * <p>Every method may be called by any thread, and none of those that submit waits for anything: they need no GIL, so a
 * virtual thread may call them too.
 *
 * <p>The futures: what Python raises completes them with a {@link PyException}; a task that is cancelled in Python
 * cancels its future. A future that is cancelled, timed out ({@code orTimeout}) or completed by Java cancels its task,
 * where asyncio raises {@code CancelledError}. An exception that the task raises then goes to asyncio's exception
 * handler. Stages that are added without {@code Async} run on the loop's thread, so they must not wait.
 * {@code join} and {@code get} of a future of the loop's own thread would wait for ever there; they throw an
 * {@link IllegalStateException}.
 *
 * <p>A loop that has ended completes futures with a {@link java.util.concurrent.RejectedExecutionException}.
 */
public interface PythonLoop extends AutoCloseable {
    /** The name that the loop was started with; its thread is named after it. */
    String name();

    /**
     * Calls {@code module.function(*arguments)} on the loop's thread, with the module imported if it was not yet, and runs
     * the coroutine that it returns as a task. A result that is no awaitable is the future's value. Arguments are
     * converted as {@link Python} says, on the loop's thread: the program leaves them as they are until then.
     */
    CompletableFuture<PyObject> submit(String module, String function, Object... arguments);

    /** {@link #submit(String, String, Object...)} with the result as {@link PyObject#as} gives it. */
    <T> CompletableFuture<T> submit(Class<T> type, String module, String function, Object... arguments);

    /**
     * Runs a coroutine object, or another awaitable, as a task. A callable object is called, with these arguments, and
     * what it returns is treated likewise.
     */
    CompletableFuture<PyObject> submit(PyObject awaitableOrCallable, Object... arguments);

    /** {@link #submit(PyObject, Object...)} with the result as {@link PyObject#as} gives it. */
    <T> CompletableFuture<T> submit(Class<T> type, PyObject awaitableOrCallable, Object... arguments);

    /** The {@code jvloop.Loop} object. */
    PyObject asPyObject();

    /** Whether it takes coroutines still. */
    boolean isRunning();

    /** {@link #close(Duration)} with ten seconds. */
    @Override
    void close();

    /**
     * Ends the loop and its thread. From now on nothing is taken; tasks are cancelled, and have {@code grace} to end;
     * then asynchronous generators and the loop's default executor are shut down, and the loop is closed. If the thread
     * still runs then, since Python code does not come back to the loop, KeyboardInterrupt is raised in it, and it gets
     * {@code grace} once more. Closing again does nothing but wait.
     *
     * @throws IllegalStateException if the calling thread is the loop's own, or the thread did not end
     */
    void close(Duration grace);
}
