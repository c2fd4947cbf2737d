package dev.jvloop.host;

import dev.jvloop.PyObject;
import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.Dicts;
import dev.jvloop.capi.Lists;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Sets;
import dev.jvloop.capi.Tuples;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Array;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/** Java values as Python objects. In Python. The table is {@link dev.jvloop.Python}'s. */
final class ToPython {
    /** What is nested deeper is taken for something that contains itself. */
    static final int DEPTH_LIMIT = 200;

    private ToPython() {}

    /**
     * A new reference.
     *
     * @throws IllegalArgumentException if there is no Python object for the value
     */
    static long newObject(Object valueOrNull) {
        return newObject(valueOrNull, 0);
    }

    private static long newObject(Object valueOrNull, int depth) {
        return switch (valueOrNull) {
            case null -> Py.newNone();
            case String value -> Texts.newString(value);
            case Boolean value -> Py.newBool(value);
            case Integer value -> newInt(value);
            case Long value -> newInt(value);
            case Double value -> Py.newFloat(value);
            case Float value -> Py.newFloat(value);
            case Short value -> newInt(value);
            case Byte value -> newInt(value);
            case Character value -> Texts.newString(value.toString());
            case BigInteger value -> newInt(value);
            case PyObject value -> newReference(value);
            case byte[] value -> newBytes(MemorySegment.ofArray(value));
            case Enum<?> value -> Texts.newString(value.name());
            case Map<?, ?> value -> newDict(value, deeper(depth));
            case Set<?> value -> newSet(value, deeper(depth));
            case Collection<?> value -> newList(value.toArray(), deeper(depth));
            case Object[] value -> newTuple(value, deeper(depth));
            case Object value when value.getClass().isArray() -> newListOfPrimitives(value);
            case Flow.Publisher<?> value -> JavaPublishers.newObject(value);
            case Channel<?> value -> value.newObject();
            case Record value -> newDict(Records.values(value), deeper(depth));
            case MemorySegment value -> JavaMemory.newView(value);
            case ByteBuffer value -> JavaMemory.newView(MemorySegment.ofBuffer(value));
            case Optional<?> value -> newObject(value.orElse(null), deeper(depth));
            case CompletionStage<?> value -> JavaObjects.newObject(value);
            default -> RareValues.newObject(valueOrNull);
        };
    }

    static int deeper(int depth) {
        if (depth >= DEPTH_LIMIT) {
            throw new IllegalArgumentException(
                    "nested more than " + DEPTH_LIMIT + " deep: does a collection contain itself?");
        }
        return depth + 1;
    }

    private static long newInt(long value) {
        return PyErr.checked(Longs.PyLong_FromLongLong(value));
    }

    private static long newInt(BigInteger value) {
        if (value.bitLength() < Long.SIZE) {
            return newInt(value.longValue());
        }
        return Calls.newResult(
                HostNames.NEW_INT, new Calls.Owned(newBytes(MemorySegment.ofArray(value.toByteArray()))));
    }

    private static long newReference(PyObject object) {
        if (!(object instanceof ObjectHandle handle)) {
            throw new IllegalArgumentException("a PyObject that jvloop did not make");
        }
        return handle.newReference();
    }

    /** A new bytes object. */
    static long newBytes(MemorySegment content) {
        long size = content.byteSize();
        long ownedBytes = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(0, size));
        MemorySegment.copy(content, 0, Memory.segment(Py.bytesData(ownedBytes), size), 0, size);
        return ownedBytes;
    }

    private static long newTuple(Object[] values, int depth) {
        long ownedTuple = PyErr.checked(Tuples.PyTuple_New(values.length));
        return filling(ownedTuple, () -> {
            for (int i = 0; i < values.length; i++) {
                Memory.putLong(Py.tupleItems(ownedTuple) + 8L * i, newObject(values[i], depth));
            }
        });
    }

    private static long newList(Object[] values, int depth) {
        long ownedList = PyErr.checked(Lists.PyList_New(values.length));
        return filling(ownedList, () -> {
            for (int i = 0; i < values.length; i++) {
                checked(Lists.PyList_SetItem(ownedList, i, newObject(values[i], depth)));
            }
        });
    }

    private static long newListOfPrimitives(Object array) {
        return newList(boxed(array), 0);
    }

    private static Object[] boxed(Object array) {
        return switch (array) {
            case int[] values -> Arrays.stream(values).boxed().toArray();
            case long[] values -> Arrays.stream(values).boxed().toArray();
            case double[] values -> Arrays.stream(values).boxed().toArray();
            default -> {
                Object[] boxed = new Object[Array.getLength(array)];
                for (int i = 0; i < boxed.length; i++) {
                    boxed[i] = Array.get(array, i);
                }
                yield boxed;
            }
        };
    }

    private static long newDict(Map<?, ?> values, int depth) {
        long ownedDict = PyErr.checked(Dicts.PyDict_New());
        return filling(ownedDict, () -> {
            for (Map.Entry<?, ?> entry : values.entrySet()) {
                long ownedKey = newObject(entry.getKey(), depth);
                Owned.releasing(ownedKey, () -> {
                    long ownedValue = newObject(entry.getValue(), depth);
                    return Owned.releasing(
                            ownedValue, () -> checked(Dicts.PyDict_SetItem(ownedDict, ownedKey, ownedValue)));
                });
            }
        });
    }

    private static long newSet(Set<?> values, int depth) {
        long ownedSet = PyErr.checked(Sets.PySet_New(0));
        return filling(ownedSet, () -> {
            for (Object value : values) {
                long ownedKey = newObject(value, depth);
                Owned.releasing(ownedKey, () -> checked(Sets.PySet_Add(ownedSet, ownedKey)));
            }
        });
    }

    /** Gives the container back if filling it fails. */
    private static long filling(long ownedContainer, Runnable fill) {
        try {
            fill.run();
            return ownedContainer;
        } catch (Throwable t) {
            PyErr.preserving(() -> Refs.decref(ownedContainer));
            throw t;
        }
    }

    /** Passes the status of a call through; throws if it set the error indicator. */
    static int checked(int status) {
        if (status < 0) {
            throw PythonError.SET;
        }
        return status;
    }
}
