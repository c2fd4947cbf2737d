package dev.jvloop;

/** Why a run of a {@link LoopWorker} ended. */
public sealed interface ExitReason {
    /** The main coroutine returned; without one, Python code stopped the loop. */
    record Finished() implements ExitReason {}

    /** Java stopped the worker. */
    record Stopped() implements ExitReason {}

    /**
     * The main coroutine raised an exception, or could not be started, or the loop ended with one.
     *
     * @param exception a {@link PyException}, unless Java failed
     */
    record Failed(Throwable exception) implements ExitReason {}

    /** KeyboardInterrupt ended the main coroutine or the loop: that of {@link PythonLoop#interrupt()}, or Python's own. */
    record Interrupted(PyException exception) implements ExitReason {}

    /**
     * Python code called {@code sys.exit}.
     *
     * @param status what the process of a Python program would end with
     */
    record SystemExited(int status, PyException exception) implements ExitReason {}

    /** Whether {@link RestartPolicy#onFailure()} starts the worker again: an exception, or a status other than 0. */
    default boolean isFailure() {
        return switch (this) {
            case Finished _, Stopped _ -> false;
            case Failed _, Interrupted _ -> true;
            case SystemExited exited -> exited.status() != 0;
        };
    }
}
