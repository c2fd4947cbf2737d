package dev.jvloop.py;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Floats;
import dev.jvloop.capi.Objects;
import dev.jvloop.capi.Tuples;
import dev.jvloop.capi.Unicode;
import dev.jvloop.foreign.Memory;
import java.util.function.LongConsumer;

/** Reading Python objects, and the singletons and types the engine names. */
public final class Py {
    public static final long NONE = Namespace.object("None");
    public static final long TRUE = Namespace.object("True");
    public static final long FALSE = Namespace.object("False");
    public static final long EMPTY_TUPLE = Namespace.object("empty_tuple");
    static final long BYTES = Namespace.object("type.bytes");
    static final long BYTEARRAY = Namespace.object("type.bytearray");
    static final long MEMORYVIEW = Namespace.object("type.memoryview");
    private static final long FLOAT = Namespace.object("type.float");
    private static final long INT = Namespace.object("type.int");
    private static final long STR = Namespace.object("type.str");
    private static final long TUPLE = Namespace.object("type.tuple");

    /** What a bytes object has instead of its hash until somebody asks for it. */
    static final long NO_HASH = -1;

    private Py() {}

    public static long typeOf(long object) {
        return Memory.getLong(object + Layout.TYPE);
    }

    /** {@code len()} of a bytes or tuple object. */
    public static long size(long varObject) {
        return Memory.getLong(varObject + Layout.VAR_SIZE);
    }

    /** Address of the first byte of a bytes object. */
    public static long bytesData(long bytes) {
        return bytes + Layout.BYTES_DATA;
    }

    /** Gives a bytes object that nobody else has a reference to another size, which it was made large enough for. */
    static void resetBytes(long ownedBytes, long size) {
        Memory.putLong(ownedBytes + Layout.VAR_SIZE, size);
        Memory.putLong(ownedBytes + Layout.BYTES_HASH, NO_HASH);
        Memory.putByte(bytesData(ownedBytes) + size, (byte) 0);
    }

    /** Address of the item array of a tuple. */
    public static long tupleItems(long tuple) {
        return tuple + Layout.TUPLE_ITEMS;
    }

    public static long tupleItem(long tuple, long index) {
        return Memory.getLong(tuple + Layout.TUPLE_ITEMS + 8 * index);
    }

    /**
     * Hands the items of an iterable over as a tuple, which lives until {@code action} returns.
     *
     * @throws PythonError TypeError, or what iterating or the action raised
     */
    public static void withTuple(long iterable, LongConsumer action) {
        if (isTuple(iterable)) {
            action.accept(iterable);
            return;
        }
        long ownedTuple = PyErr.checked(Abstract.PySequence_Tuple(iterable));
        try {
            action.accept(ownedTuple);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedTuple));
        }
    }

    /** Value of an int object between 0 and 2**30 - 1. */
    public static int smallInt(long object) {
        return Memory.getInt(object + Layout.INT_DIGIT);
    }

    static double floatValue(long object) {
        return Memory.getDouble(object + Layout.HEADER);
    }

    public static boolean isBytes(long object) {
        return typeOf(object) == BYTES;
    }

    public static boolean isStr(long object) {
        return typeOf(object) == STR;
    }

    public static boolean isTuple(long object) {
        return typeOf(object) == TUPLE;
    }

    /** Whether the object is an instance of bytes, bytearray, memoryview or a subclass. */
    public static boolean isBytesLike(long object) {
        long type = typeOf(object);
        return type == BYTES
                || type == BYTEARRAY
                || type == MEMORYVIEW
                || isSubtype(type, BYTES)
                || isSubtype(type, BYTEARRAY)
                || isSubtype(type, MEMORYVIEW);
    }

    private static boolean isSubtype(long type, long base) {
        return (int) Objects.PyType_IsSubtype(type, base) != 0;
    }

    public static boolean isFloat(long object) {
        return typeOf(object) == FLOAT;
    }

    public static boolean isInt(long object) {
        return typeOf(object) == INT;
    }

    /**
     * The value of a number as a double.
     *
     * @throws PythonError TypeError or what {@code __float__} raised
     */
    public static double toDouble(long number) {
        if (isFloat(number)) {
            return floatValue(number);
        }
        double value = Floats.PyFloat_AsDouble(number);
        if (value == -1.0) {
            PyErr.checkOccurred();
        }
        return value;
    }

    /** A new reference to a float. */
    public static long newFloat(double value) {
        return PyErr.checked(Floats.PyFloat_FromDouble(value));
    }

    /** Truth of an object. */
    public static boolean isTrue(long object) {
        if (object == TRUE) {
            return true;
        }
        if (object == FALSE || object == NONE) {
            return false;
        }
        int truth = (int) Objects.PyObject_IsTrue(object);
        if (truth < 0) {
            throw PythonError.SET;
        }
        return truth != 0;
    }

    /** A new reference to {@code True} or {@code False}. */
    public static long newBool(boolean value) {
        return Refs.incref(value ? TRUE : FALSE);
    }

    /** A new reference to {@code None}. */
    public static long newNone() {
        return Refs.incref(NONE);
    }

    /** A reference, owned for the life of the process, to an interned str. */
    public static long internForever(String name) {
        return PyErr.checked(Memory.withString(name, Unicode::PyUnicode_InternFromString));
    }

    /** {@code type(object).__name__}. */
    public static String typeName(long object) {
        long ownedName = PyErr.checked(Objects.PyObject_GetAttr(typeOf(object), Names.NAME));
        String name = Memory.getString(Unicode.PyUnicode_AsUTF8(ownedName));
        Refs.decref(ownedName);
        return name;
    }

    /** A new reference to an attribute. */
    public static long newAttribute(long object, long name) {
        return PyErr.checked(Objects.PyObject_GetAttr(object, name));
    }

    /** The text of a str. */
    public static String text(long string) {
        return Memory.getString(PyErr.checked(Unicode.PyUnicode_AsUTF8(string)));
    }

    /** A new tuple of one object; takes over the reference. */
    public static long newTupleOfOne(long owned) {
        long ownedTuple = PyErr.checked(Tuples.PyTuple_New(1));
        Memory.putLong(tupleItems(ownedTuple), owned);
        return ownedTuple;
    }

    /** A new tuple of two, which takes over both references. */
    public static long newPair(long ownedFirst, long ownedSecond) {
        long ownedTuple = PyErr.checked(Tuples.PyTuple_New(2));
        Memory.putLong(tupleItems(ownedTuple), ownedFirst);
        Memory.putLong(tupleItems(ownedTuple) + 8, ownedSecond);
        return ownedTuple;
    }
}
