package dev.jvloop.host;

import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.util.function.Supplier;

/** Giving things back after use, where Python's error indicator may be set. In Python. */
final class Owned {
    private Owned() {}

    /** Runs {@code use}, then releases the reference. */
    static <T> T releasing(long owned, Supplier<T> use) {
        return ending(() -> Refs.decref(owned), use);
    }

    /** Runs {@code use}, then {@code end}, which may run Python code: an error that is set stays set. */
    static <T> T ending(Runnable end, Supplier<T> use) {
        T result;
        try {
            result = use.get();
        } catch (Throwable t) {
            PyErr.preserving(end);
            throw t;
        }
        end.run();
        return result;
    }
}
