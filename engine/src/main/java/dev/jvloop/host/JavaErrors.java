package dev.jvloop.host;

import dev.jvloop.PyException;
import dev.jvloop.capi.Objects;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Calls;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Java's exceptions in Python: {@code jvloop.host.JavaError}. {@link Failures} has the other way. In Python. */
final class JavaErrors {
    private static final long TYPE = Namespace.object("type.JavaError");
    private static final long JAVA_HALF = Namespace.integer("slot.JavaError._java_half");

    private JavaErrors() {}

    /** Sets the error indicator; the result is for {@code throw}. */
    static PythonError raised(Throwable t) {
        return PyErr.raiseOwned(newException(t));
    }

    /** A new reference to what stands for a Java exception in Python: where it came from there, that one. */
    static long newException(Throwable t) {
        Throwable thrown = unwrapped(t);
        long ownedOriginalOrNull = newOriginalOrNull(thrown);
        if (ownedOriginalOrNull != 0) {
            return ownedOriginalOrNull;
        }
        long ownedError = newJavaError(thrown, Collections.newSetFromMap(new IdentityHashMap<>()));
        return thrown instanceof CancellationException
                ? Calls.newResult(HostNames.NEW_CANCELLED_ERROR, new Calls.Owned(ownedError))
                : ownedError;
    }

    /** What a future's {@code join} and {@code get} throw is their own, around what the program threw. */
    private static Throwable unwrapped(Throwable t) {
        Throwable inner = t;
        while ((inner instanceof CompletionException || inner instanceof ExecutionException)
                && inner.getCause() != null) {
            inner = inner.getCause();
        }
        return inner;
    }

    /** A new reference to the Python exception that this one came from, or 0. */
    private static long newOriginalOrNull(Throwable t) {
        Throwable origin = t instanceof CancellationException ? t.getCause() : t;
        if (!(origin instanceof PyException e) || !(e.exceptionOrNull() instanceof ObjectHandle handle)) {
            return 0;
        }
        try {
            return handle.newReference();
        } catch (IllegalStateException closed) {
            // The program has closed the handle: there is no original any more.
            return 0;
        }
    }

    private static long newJavaError(Throwable t, Set<Throwable> shown) {
        shown.add(t);
        Throwable causeOrNull = t.getCause();
        long ownedCause =
                causeOrNull == null || shown.contains(causeOrNull) ? Py.newNone() : newCause(causeOrNull, shown);
        Object[] frames = Arrays.stream(t.getStackTrace())
                .map(StackTraceElement::toString)
                .takeWhile(frame -> !frame.startsWith(RegisteredFunction.class.getName()))
                .toArray();
        return Calls.newResult(
                HostNames.NEW_JAVA_ERROR,
                new Calls.Owned(Texts.newString(t.getClass().getName())),
                new Calls.Owned(ToPython.newObject(t.getMessage())),
                new Calls.Owned(ToPython.newObject(frames)),
                new Calls.Owned(JavaReference.newFor(t)),
                new Calls.Owned(ownedCause));
    }

    private static long newCause(Throwable cause, Set<Throwable> shown) {
        long ownedOriginalOrNull = newOriginalOrNull(cause);
        return ownedOriginalOrNull == 0 ? newJavaError(cause, shown) : ownedOriginalOrNull;
    }

    /** The Java exception that a Python one stands for; null if it is one of Python's own. */
    static Throwable getOrNull(long exception) {
        if ((int) Objects.PyType_IsSubtype(Py.typeOf(exception), TYPE) != 0) {
            long halfOrNull = Memory.getLong(exception + JAVA_HALF);
            return halfOrNull == 0 ? null : (Throwable) JavaReference.get(halfOrNull);
        }
        return HostNames.isCancelledError(exception) ? cancellationOrNull(exception) : null;
    }

    /** The CancellationException that a CancelledError was made of. */
    private static Throwable cancellationOrNull(long cancelledError) {
        long ownedCause = Py.newAttribute(cancelledError, HostNames.CAUSE);
        Throwable causeOrNull = HostNames.isCancelledError(ownedCause) ? null : getOrNull(ownedCause);
        Refs.decref(ownedCause);
        return causeOrNull instanceof CancellationException ? causeOrNull : null;
    }
}
