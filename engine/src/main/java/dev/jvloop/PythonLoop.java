package dev.jvloop;

import java.time.Duration;
import java.util.Map;
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

    /** {@link #serveAsgi(ListeningSocket, String, Keywords)} with uvicorn's own options. */
    default CompletableFuture<AsgiServer> serveAsgi(ListeningSocket socket, String application) {
        return serveAsgi(socket, application, Keywords.of(Map.of()));
    }

    /**
     * Serves an ASGI application, FastAPI's say, by uvicorn, which the program's Python has to have installed. The future
     * completes when the application's lifespan has begun and connections are accepted. From then on the socket may be
     * closed: the server has a duplicate. Several loops may serve one socket; each connection is one loop's.
     *
     * <p>The server ends by {@link AsgiServer#stop}, and when the loop is closed: requests in progress get half of its
     * grace then.
     *
     * @param application {@code module:name}; the module is imported if it was not yet
     * @param options arguments of {@code uvicorn.Config}. Its logging is not configured ({@code log_config=None}), unless
     *     they say so
     */
    CompletableFuture<AsgiServer> serveAsgi(ListeningSocket socket, String application, Keywords options);

    /**
     * Has the loop serve an accepted connection: {@code loop.connect_accepted_socket}. The descriptor is the loop's from
     * now on, whatever comes of it.
     *
     * @param fd of a connected stream socket
     * @param protocolFactory {@code module:name} of what makes the {@code asyncio.Protocol}
     * @return the tuple of transport and protocol
     */
    CompletableFuture<PyObject> adopt(int fd, String protocolFactory);

    /**
     * The elements that {@code module.function(*arguments)} gives, an asynchronous generator or another asynchronous
     * iterable. Every subscription calls the function, on the loop's thread, and has elements of its own. Arguments are
     * converted each time.
     *
     * @param type what the elements are converted to, as {@link PyObject#as} does it
     */
    <T> PythonPublisher<T> publish(Class<T> type, String module, String function, Object... arguments);

    /**
     * The elements of an asynchronous iterable object, for one subscriber: others get an {@link IllegalStateException}. A
     * callable object is called with these arguments for every subscription, and what it returns is iterated.
     */
    <T> PythonPublisher<T> publish(Class<T> type, PyObject asyncIterableOrCallable, Object... arguments);

    /** The {@code jvloop.Loop} object. */
    PyObject asPyObject();

    /** Whether it takes coroutines still. */
    boolean isRunning();

    /** What it is doing. Needs no GIL: it answers also if Python code holds up the loop. */
    LoopState loopState();

    /** How many tasks it has: {@code len(asyncio.all_tasks(loop))}. Waits for the GIL. */
    int countTasks();

    /** {@link #interrupt(PyObject)} with KeyboardInterrupt, which ends the loop if it is raised in a task or callback. */
    boolean interrupt();

    /**
     * Raises an exception in the Python code that the loop's thread runs now, at its next instruction; code that waits in
     * a C function comes to that when it returns. Raised in a task, an {@code Exception} ends that task alone. A loop that
     * waits for something to do is left alone: cancel what a task waits for instead. Waits for the GIL.
     *
     * @param exceptionClass its class
     * @return whether there was code to interrupt
     * @throws PyException TypeError, if it is no exception class
     */
    boolean interrupt(PyObject exceptionClass);

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
