package dev.jvloop;

/**
 * The Java functions that Python code can import: {@code from jvloop.host import name}.
 *
 * <pre>{@code
 * python.functions().register("greet", arguments -> "Hello " + arguments[0]);
 * python.functions().register("fetch", arguments -> client.sendAsync(request(arguments[0]), ofString()));
 * python.functions().registerBlocking("query", arguments -> database.query((String) arguments[0]));
 * }</pre>
 *
 * <p>All methods may be called by any thread, and wait for the GIL. They throw {@link IllegalStateException} after Python
 * has ended.
 *
 * <p><b>Errors.</b> What a function throws is raised in Python as {@code jvloop.host.JavaError}, with the Java class,
 * message and stack, and its causes as {@code __cause__}; where Python code lets it go on into Java, the same exception
 * object is thrown there, a checked one as the cause of a {@link PyException}, or as what a future completes with. A
 * {@link PyException} is the Python exception again that it came from, and a
 * {@link java.util.concurrent.CancellationException} asyncio's {@code CancelledError}. Of a
 * {@link java.util.concurrent.CompletionException} or {@link java.util.concurrent.ExecutionException} its cause counts.
 *
 * <p><b>Stages.</b> A {@link java.util.concurrent.CompletionStage} that a function returns is a future of the loop that
 * runs in the calling thread, jvloop's or another. Where the future is cancelled, as the task that awaits it is, so is
 * the stage's {@code toCompletableFuture()}; where the stage is cancelled, so is the future. Where no loop runs, it is a
 * {@code jvloop.host.JavaStage}, to be awaited later.
 */
public interface Functions {
    /**
     * Makes a function known.
     *
     * @param name a Python identifier without a leading underscore
     * @throws IllegalArgumentException if the name is no such one, or one that {@code jvloop.host} has itself
     * @throws IllegalStateException if there is a function of that name
     */
    void register(String name, JavaFunction function);

    /**
     * {@link #register} for a function that takes long: each call runs on a virtual thread of its own, and is an asyncio
     * future in Python. Where that is cancelled, the thread is interrupted. Python code calls it in a running loop only.
     */
    void registerBlocking(String name, JavaFunction function);

    /**
     * Forgets a function. Python code that has imported it may still call it.
     *
     * @return false if there is none of that name
     */
    boolean remove(String name);
}
