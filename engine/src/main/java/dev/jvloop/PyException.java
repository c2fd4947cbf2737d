package dev.jvloop;

import java.io.Serial;
import java.util.Arrays;

/**
 * An exception that Python code raised. Its stack trace begins with the Python frames, innermost first, and goes on with
 * the Java ones that called Python; its cause is that of the Python exception ({@code __cause__}, else
 * {@code __context__}). Exceptions of a Python exception group are its suppressed ones.
 */
public final class PyException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1;

    private final String pythonType;
    private final String pythonMessage;
    private final StackTraceElement[] pythonStackTrace;
    private final transient PyObject exceptionOrNull;

    /**
     * Made by jvloop, and by tests of programs that use it.
     *
     * @param pythonType as {@link #pythonType()}
     * @param pythonMessage as {@link #pythonMessage()}
     * @param pythonStackTrace as {@link #pythonStackTrace()}
     * @param exceptionOrNull as {@link #exceptionOrNull()}
     * @param causeOrNull the exception that this one came from
     */
    public PyException(
            String pythonType,
            String pythonMessage,
            StackTraceElement[] pythonStackTrace,
            PyObject exceptionOrNull,
            Throwable causeOrNull) {
        super(pythonMessage.isEmpty() ? pythonType : pythonType + ": " + pythonMessage, causeOrNull);
        this.pythonType = pythonType;
        this.pythonMessage = pythonMessage;
        this.pythonStackTrace = pythonStackTrace.clone();
        this.exceptionOrNull = exceptionOrNull;
        setCallers(getStackTrace());
    }

    /** The exception's class with its module, without {@code builtins.}: {@code KeyError}, {@code asyncio.QueueFull}. */
    public String pythonType() {
        return pythonType;
    }

    /** {@code str()} of the exception, and its notes, a line each. */
    public String pythonMessage() {
        return pythonMessage;
    }

    /** The Python frames alone, innermost first: module and function, file, line. */
    public StackTraceElement[] pythonStackTrace() {
        return pythonStackTrace.clone();
    }

    /**
     * The exception object, which keeps alive what its frames' variables refer to until it is closed or collected; null
     * after serialisation.
     */
    public PyObject exceptionOrNull() {
        return exceptionOrNull;
    }

    /** Says which Java code called Python, where that was another thread's than the one that ran it. */
    public void setCallers(StackTraceElement[] callers) {
        StackTraceElement[] all = Arrays.copyOf(pythonStackTrace, pythonStackTrace.length + callers.length);
        System.arraycopy(callers, 0, all, pythonStackTrace.length, callers.length);
        setStackTrace(all);
    }
}
