package dev.jvloop.py;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Unicode;
import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;

/** Calls into Python from paths where boxing the arguments costs nothing that matters. */
public final class Calls {
    private Calls() {}

    /** An argument that is passed as an owned reference and released after the call. */
    public record Owned(long ownedObject) {}

    /** An int argument. */
    public static Owned integer(long value) {
        return new Owned(PyErr.checked(Longs.PyLong_FromLongLong(value)));
    }

    /** A str argument. */
    public static Owned string(String value) {
        try (Arena arena = Arena.ofConfined()) {
            return new Owned(PyErr.checked(
                    Unicode.PyUnicode_FromString(arena.allocateFrom(value).address())));
        }
    }

    /**
     * Calls a callable with borrowed references ({@code Long}) and {@link Owned} ones, which it releases.
     *
     * @return a new reference
     * @throws PythonError what the callable raised
     */
    public static long newResult(long callable, Object... arguments) {
        try (Scratch.Piece array = Scratch.take(8L * arguments.length)) {
            for (int i = 0; i < arguments.length; i++) {
                Memory.putLong(array.address() + 8L * i, address(arguments[i]));
            }
            long ownedResult = Abstract.PyObject_Vectorcall(callable, array.address(), arguments.length, 0);
            for (Object argument : arguments) {
                if (argument instanceof Owned owned) {
                    Refs.decref(owned.ownedObject());
                }
            }
            return PyErr.checked(ownedResult);
        }
    }

    /** {@link #newResult} for callables whose result nobody needs. */
    public static void run(long callable, Object... arguments) {
        Refs.decref(newResult(callable, arguments));
    }

    /**
     * {@link #newResult} of an object's method.
     *
     * @param name an interned str
     */
    public static long newMethodResult(long object, long name, Object... arguments) {
        long ownedMethod = Py.newAttribute(object, name);
        try {
            return newResult(ownedMethod, arguments);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedMethod));
        }
    }

    /**
     * Calls a Python function as a method: with {@code self} in front of the arguments that a METH_FASTCALL |
     * METH_KEYWORDS body was called with.
     *
     * @return a new reference
     */
    public static long newResultAsMethod(long function, long self, long arguments, long count, long names) {
        long all = count + (names == 0 ? 0 : Py.size(names));
        try (Scratch.Piece array = Scratch.take(8 * (all + 1))) {
            Memory.putLong(array.address(), self);
            Memory.copy(arguments, array.address() + 8, 8 * all);
            return PyErr.checked(Abstract.PyObject_Vectorcall(function, array.address(), count + 1, names));
        }
    }

    private static long address(Object argument) {
        return argument instanceof Owned owned ? owned.ownedObject() : (Long) argument;
    }
}
