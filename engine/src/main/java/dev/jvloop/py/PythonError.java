package dev.jvloop.py;

/**
 * Says that Python's error indicator of this thread is set. It carries nothing itself: the exception is CPython's.
 * Thrown through Java code up to the trampoline, which returns the error to CPython.
 */
public final class PythonError extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Preallocated and without a stack: throwing it costs a jump. */
    public static final PythonError SET = new PythonError();

    private PythonError() {
        super("Python's error indicator is set", null, false, false);
    }
}
