package dev.jvloop;

/** What Python code can call by the name that it was registered with: {@link Functions}. */
@FunctionalInterface
public interface JavaFunction {
    /**
     * Called by any thread that runs Python code, a loop's too, without the GIL: it may wait for other threads, which
     * may call Python, and may call Python itself. On a loop's thread the loop waits meanwhile.
     *
     * @param arguments the natural Java values, as {@code as(Object.class)} gives them; handles are the function's to
     *     close. If there were keyword arguments, the last one is {@link Keywords}
     * @return a value that converts to Python, as {@link Python} says. A {@link java.util.concurrent.CompletionStage} is
     *     an asyncio future
     * @throws Exception is {@code jvloop.host.JavaError} in Python
     */
    Object call(Object... arguments) throws Exception;
}
