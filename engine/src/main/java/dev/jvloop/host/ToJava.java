package dev.jvloop.host;

import dev.jvloop.PyObject;
import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Dicts;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Objects;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.function.LongPredicate;

/**
 * Python objects as the Java values that are natural for them. In Python. The table is {@link dev.jvloop.Python}'s.
 */
final class ToJava {
    private final Interpreter interpreter;

    ToJava(Interpreter interpreter) {
        this.interpreter = interpreter;
    }

    /** The value, or a new handle of an object of any other kind; null for None. */
    Object natural(long object) {
        return natural(object, 0);
    }

    private Object natural(long object, int depth) {
        if (object == Py.NONE) {
            return null;
        }
        if (object == Py.TRUE || object == Py.FALSE) {
            return object == Py.TRUE;
        }
        return switch (Kind.of(object)) {
            case STR -> Texts.of(object);
            case INT -> integer(object);
            case FLOAT -> Py.toDouble(object);
            case BYTES -> bytes(object);
            case BYTEARRAY -> newBytesOf(object);
            case LIST -> list(object, ToPython.deeper(depth));
            case TUPLE -> list(object, ToPython.deeper(depth)).toArray();
            case DICT -> map(object, ToPython.deeper(depth));
            case SET -> set(object, ToPython.deeper(depth));
            case OTHER -> other(object);
        };
    }

    private Object other(long object) {
        Object javaOrNull = JavaObjects.getOrNull(object);
        if (javaOrNull != null) {
            return javaOrNull;
        }
        Object valueOrNull = RareValues.valueOrNull(object, this);
        return valueOrNull == null ? handle(object) : valueOrNull;
    }

    /** A further handle of the object. */
    PyObject handle(long object) {
        return interpreter.newHandle(Refs.incref(object));
    }

    /** An int as a Long, or as a BigInteger if it is out of that range. */
    static Number integer(long object) {
        long value = Longs.PyLong_AsLongLong(object);
        if (value != -1 || PyErrors.PyErr_Occurred() == 0) {
            return value;
        }
        PyErrors.PyErr_Clear();
        long ownedBytes = Calls.newResult(HostNames.INT_BYTES, object);
        try {
            return new BigInteger(bytes(ownedBytes));
        } finally {
            Refs.decref(ownedBytes);
        }
    }

    private static byte[] bytes(long object) {
        return Memory.segment(Py.bytesData(object), Py.size(object)).toArray(ValueLayout.JAVA_BYTE);
    }

    /** The content of an object with the buffer protocol. */
    static byte[] newBytesOf(long object) {
        long ownedBytes = Calls.newResult(HostNames.BYTES, object);
        try {
            return bytes(ownedBytes);
        } finally {
            Refs.decref(ownedBytes);
        }
    }

    /** The items of a sequence. */
    List<Object> list(long object, int depth) {
        List<Object> values = new ArrayList<>();
        forEach(object, item -> values.add(natural(item, depth)));
        return values;
    }

    private Set<Object> set(long object, int depth) {
        Set<Object> values = new LinkedHashSet<>();
        forEach(object, item -> values.add(natural(item, depth)));
        return values;
    }

    private Map<Object, Object> map(long object, int depth) {
        Map<Object, Object> values = new LinkedHashMap<>();
        forEachEntry(object, (key, value) -> values.put(natural(key, depth), natural(value, depth)));
        return values;
    }

    /** Each item of an iterable, as it is now: other threads may change it meanwhile. */
    static void forEach(long iterable, LongConsumer action) {
        long ownedTuple = PyErr.checked(Abstract.PySequence_Tuple(iterable));
        Owned.releasing(ownedTuple, () -> {
            for (long i = 0, count = Py.size(ownedTuple); i < count; i++) {
                action.accept(Py.tupleItem(ownedTuple, i));
            }
            return null;
        });
    }

    /** A dict's key and value. */
    interface EntryConsumer {
        void accept(long key, long value);
    }

    /** Each entry of a dict, as it is now. */
    static void forEachEntry(long dict, EntryConsumer action) {
        long ownedItems = PyErr.checked(Dicts.PyDict_Items(dict));
        Owned.releasing(ownedItems, () -> {
            forEach(ownedItems, pair -> action.accept(Py.tupleItem(pair, 0), Py.tupleItem(pair, 1)));
            return null;
        });
    }

    /** What an object is, its class or one of its bases. */
    enum Kind {
        STR,
        INT,
        FLOAT,
        LIST,
        TUPLE,
        DICT,
        BYTES,
        BYTEARRAY,
        SET,
        OTHER;

        static Kind of(long object) {
            long type = Py.typeOf(object);
            Kind exactly = ofFirst(base -> type == base);
            return exactly == OTHER ? ofFirst(base -> isSubtype(type, base)) : exactly;
        }

        /** By chained comparisons with what are constants to the compiler. */
        private static Kind ofFirst(LongPredicate isBase) {
            if (isBase.test(HostNames.STR)) {
                return STR;
            }
            if (isBase.test(HostNames.INT)) {
                return INT;
            }
            if (isBase.test(HostNames.FLOAT)) {
                return FLOAT;
            }
            if (isBase.test(HostNames.LIST)) {
                return LIST;
            }
            if (isBase.test(HostNames.TUPLE)) {
                return TUPLE;
            }
            if (isBase.test(HostNames.DICT)) {
                return DICT;
            }
            if (isBase.test(HostNames.BYTES)) {
                return BYTES;
            }
            if (isBase.test(HostNames.BYTEARRAY)) {
                return BYTEARRAY;
            }
            return isBase.test(HostNames.SET) || isBase.test(HostNames.FROZENSET) ? SET : OTHER;
        }

        private static boolean isSubtype(long type, long base) {
            return (int) Objects.PyType_IsSubtype(type, base) != 0;
        }
    }
}
