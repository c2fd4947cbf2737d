package dev.jvloop;

/** Python does not start in this process. The message says what was looked for and what to do. */
public final class PythonStartException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What is wrong. */
    public PythonStartException(String message) {
        super(message);
    }

    /** What is wrong, and what it came from. */
    public PythonStartException(String message, Throwable cause) {
        super(message, cause);
    }
}
