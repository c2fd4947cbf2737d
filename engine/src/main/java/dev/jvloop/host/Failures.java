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

/** Python exceptions as Java ones. In Python. */
final class Failures {
    /** Causes of causes that are shown. */
    private static final int CHAIN_LIMIT = 50;

    private final Interpreter interpreter;

    Failures(Interpreter interpreter) {
        this.interpreter = interpreter;
    }

    /** The raised exception, taken out of the error indicator. */
    PyException taken() {
        return of(PyErr.newTaken());
    }

    /** An exception that is not raised. Takes over the reference. */
    PyException of(long ownedException) {
        return described(ownedException, new HashSet<>());
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
                isNew(cause, shown) ? described(Refs.incref(cause), shown) : null);
        ToJava.forEach(Py.tupleItem(parts, 4), member -> {
            if (isNew(member, shown)) {
                exception.addSuppressed(described(Refs.incref(member), shown));
            }
        });
        return exception;
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
