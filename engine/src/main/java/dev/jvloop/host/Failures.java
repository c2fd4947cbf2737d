package dev.jvloop.host;

import dev.jvloop.PyException;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;

/** Python exceptions as Java ones. In Python. */
final class Failures {
    /** Causes of causes that are shown. */
    private static final int CHAIN_LIMIT = 50;

    private final Interpreter interpreter;

    Failures(Interpreter interpreter) {
        this.interpreter = interpreter;
    }

    /**
     * The raised exception, taken out of the error indicator, for {@code throw}: a checked Java exception as the cause of
     * a PyException, since nobody expects it.
     *
     * @throws Error if it is a Java one that is an Error
     */
    RuntimeException taken() {
        long ownedException = PyErr.newTaken();
        Throwable javaOrNull = JavaErrors.getOrNull(ownedException);
        if (javaOrNull == null || !(javaOrNull instanceof RuntimeException || javaOrNull instanceof Error)) {
            return ofPython(ownedException);
        }
        Refs.decref(ownedException);
        if (javaOrNull instanceof Error error) {
            throw error;
        }
        return (RuntimeException) javaOrNull;
    }

    /** An exception that is not raised: the Java one that it was made of, if there is one. Takes over the reference. */
    Throwable of(long ownedException) {
        Throwable javaOrNull = JavaErrors.getOrNull(ownedException);
        if (javaOrNull == null) {
            return ofPython(ownedException);
        }
        Refs.decref(ownedException);
        return javaOrNull;
    }

    /** One that Java code did not throw, or may not. Takes over the reference. */
    private RuntimeException ofPython(long ownedException) {
        PyException exception = described(ownedException, new HashSet<>());
        if (!HostNames.isCancelledError(ownedException)) {
            return exception;
        }
        CancellationException cancellation = new CancellationException(exception.pythonMessage());
        cancellation.initCause(exception);
        return cancellation;
    }

    /** Takes over the reference. */
    private PyException described(long ownedException, Set<Long> shown) {
        shown.add(ownedException);
        long ownedParts;
        try {
            ownedParts = Calls.newResult(HostNames.DESCRIBE_EXCEPTION, ownedException);
        } catch (PythonError e) {
            // For want of memory or stack: what is left is its class.
            PyErrors.PyErr_Clear();
            return new PyException(
                    typeName(ownedException),
                    "(it could not be described)",
                    new StackTraceElement[0],
                    interpreter.newHandle(ownedException),
                    null);
        }
        try {
            return built(ownedException, ownedParts, shown);
        } finally {
            Refs.decref(ownedParts);
        }
    }

    /** {@code parts}: type, message, frames, cause or None, exceptions of a group; as _host.py makes it. */
    private PyException built(long ownedException, long parts, Set<Long> shown) {
        List<StackTraceElement> frames = new ArrayList<>();
        ToJava.forEach(Py.tupleItem(parts, 2), frame -> frames.add(frame(frame)));
        long cause = Py.tupleItem(parts, 3);
        PyException exception = new PyException(
                Texts.of(Py.tupleItem(parts, 0)),
                Texts.of(Py.tupleItem(parts, 1)),
                frames.toArray(StackTraceElement[]::new),
                interpreter.newHandle(ownedException),
                causeOrNull(ownedException, cause, shown));
        ToJava.forEach(Py.tupleItem(parts, 4), member -> {
            if (isNew(member, shown)) {
                exception.addSuppressed(linked(member, shown));
            }
        });
        return exception;
    }

    /** Of one that stands for a checked Java exception that one, else the Python cause. */
    private Throwable causeOrNull(long exception, long cause, Set<Long> shown) {
        Throwable javaOrNull = JavaErrors.getOrNull(exception);
        if (javaOrNull != null) {
            return javaOrNull;
        }
        return isNew(cause, shown) ? linked(cause, shown) : null;
    }

    /** A cause, or an exception of a group. */
    private Throwable linked(long exception, Set<Long> shown) {
        Throwable javaOrNull = JavaErrors.getOrNull(exception);
        return javaOrNull == null ? described(Refs.incref(exception), shown) : javaOrNull;
    }

    private static boolean isNew(long exception, Set<Long> shown) {
        return exception != Py.NONE && shown.size() < CHAIN_LIMIT && !shown.contains(exception);
    }

    private static StackTraceElement frame(long parts) {
        return new StackTraceElement(
                Texts.of(Py.tupleItem(parts, 0)),
                Texts.of(Py.tupleItem(parts, 1)),
                Texts.of(Py.tupleItem(parts, 2)),
                ToJava.integer(Py.tupleItem(parts, 3)).intValue());
    }

    /** Name of an object's class, with its module unless that is builtins. */
    static String typeName(long object) {
        return Texts.ofOwned(Calls.newResult(HostNames.TYPE_NAME, object));
    }
}
