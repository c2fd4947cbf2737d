package dev.jvloop.py;

import dev.jvloop.capi.Objects;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.capi.RaisedException;
import java.lang.foreign.Arena;

/** Raising and catching Python exceptions. All methods need the GIL. */
public final class PyErr {
    public static final long TYPE_ERROR = Namespace.object("type.TypeError");
    public static final long VALUE_ERROR = Namespace.object("type.ValueError");
    public static final long RUNTIME_ERROR = Namespace.object("type.RuntimeError");
    public static final long OS_ERROR = Namespace.object("type.OSError");
    private static final long MEMORY_ERROR = Namespace.object("type.MemoryError");
    public static final long RECURSION_ERROR = Namespace.object("type.RecursionError");
    private static final long SYSTEM_EXIT = Namespace.object("type.SystemExit");
    private static final long KEYBOARD_INTERRUPT = Namespace.object("type.KeyboardInterrupt");
    private static final long NEW_OS_ERROR = Namespace.object("helper.new_os_error");

    private PyErr() {}

    /** Sets the error indicator; the result is for {@code throw}. */
    public static PythonError raise(long type, String message) {
        try (Arena arena = Arena.ofConfined()) {
            PyErrors.PyErr_SetString(type, arena.allocateFrom(message).address());
        }
        return PythonError.SET;
    }

    /** Raises what entering a context twice does. */
    static void raiseContextInUse(long context) {
        long ownedText = checked(Objects.PyObject_Repr(context));
        raise(RUNTIME_ERROR, "cannot enter context: " + Py.text(ownedText) + " is already entered");
        Refs.decref(ownedText);
    }

    /** Raises the OSError subclass that belongs to an errno value. */
    public static PythonError raiseOsError(int errno) {
        long ownedException = newOsError(errno);
        PyErrors.PyErr_SetObject(Py.typeOf(ownedException), ownedException);
        Refs.decref(ownedException);
        return PythonError.SET;
    }

    /** A new reference to an OSError (of the errno's own subclass) that is not raised. */
    public static long newOsError(int errno) {
        return Calls.newResult(NEW_OS_ERROR, Calls.integer(errno));
    }

    /** Sets the error indicator to what a Java failure means in Python. */
    public static void raiseJava(Throwable t) {
        long type = switch (t) {
            case OutOfMemoryError _ -> MEMORY_ERROR;
            case StackOverflowError _ -> RECURSION_ERROR;
            default -> RUNTIME_ERROR;
        };
        StringBuilder text = new StringBuilder("in the jvloop engine: ").append(t);
        StackTraceElement[] stack = t.getStackTrace();
        for (int i = 0; i < Math.min(stack.length, 12); i++) {
            text.append("\n    at ").append(stack[i]);
        }
        raise(type, text.toString());
    }

    /** Passes a result through; 0 means that the C API set an error. */
    public static long checked(long result) {
        if (result == 0) {
            throw PythonError.SET;
        }
        return result;
    }

    /** Throws if the error indicator is set. */
    public static void checkOccurred() {
        if (PyErrors.PyErr_Occurred() != 0) {
            throw PythonError.SET;
        }
    }

    /** Whether an exception is one that must leave the loop: SystemExit or KeyboardInterrupt. */
    public static boolean endsLoop(long exception) {
        long type = Py.typeOf(exception);
        return (int) Objects.PyType_IsSubtype(type, SYSTEM_EXIT) != 0
                || (int) Objects.PyType_IsSubtype(type, KEYBOARD_INTERRUPT) != 0;
    }

    /** Takes the raised exception out of the indicator: a new reference. */
    public static long newTaken() {
        try (Scratch.Piece words = Scratch.take(24)) {
            return RaisedException.take(words.address());
        }
    }

    /** Raises an exception object again, with its traceback; takes over the reference. */
    public static PythonError raiseOwned(long ownedException) {
        PyErrors.PyErr_SetObject(Py.typeOf(ownedException), ownedException);
        Refs.decref(ownedException);
        return PythonError.SET;
    }

    /**
     * Gives the raised exception another one as its context, as Python does with what a {@code finally} clause raises;
     * takes over the reference.
     */
    public static PythonError inContextOfOwned(long ownedEarlier) {
        long ownedRaised = newTaken();
        if ((int) Objects.PyObject_SetAttr(ownedRaised, Names.EXCEPTION_CONTEXT, ownedEarlier) != 0) {
            Refs.decref(ownedEarlier);
            Refs.decref(ownedRaised);
            return PythonError.SET;
        }
        Refs.decref(ownedEarlier);
        return raiseOwned(ownedRaised);
    }

    /** Reports the raised error through {@code sys.unraisablehook} and clears it. */
    public static void writeUnraisable(long where) {
        PyErrors.PyErr_WriteUnraisable(where);
    }

    /** Runs code that may run Python while the error indicator may be set, and leaves the indicator as it was. */
    public static void preserving(Runnable action) {
        if (PyErrors.PyErr_Occurred() == 0) {
            action.run();
            return;
        }
        long ownedException = newTaken();
        try {
            action.run();
        } finally {
            raiseOwned(ownedException);
        }
    }
}
