package dev.jvloop.host;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Memory;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.function.LongFunction;

/** Calling Python with Java's values as arguments. In Python. */
final class JavaArguments {
    private JavaArguments() {}

    /** Runs something with a value as a Python object, and releases that. */
    static <T> T with(Object value, LongFunction<T> action) {
        long owned = ToPython.newObject(value);
        return Owned.releasing(owned, () -> action.apply(owned));
    }

    /** {@code callable(*positional, **keywords)}: a new reference. */
    static long newCallResult(long callable, Map<String, ?> keywords, Object[] positional) {
        if (keywords.isEmpty()) {
            return newResult(
                    positional, 0, array -> Abstract.PyObject_Vectorcall(callable, array, positional.length, 0));
        }
        Object[] names = keywords.keySet().toArray();
        Object[] all = new Object[positional.length + names.length];
        System.arraycopy(positional, 0, all, 0, positional.length);
        for (int i = 0; i < names.length; i++) {
            all[positional.length + i] = keywords.get(names[i]);
        }
        return with(
                names,
                ownedNames -> newResult(
                        all, 0, array -> Abstract.PyObject_Vectorcall(callable, array, positional.length, ownedNames)));
    }

    /** {@code object.name(*positional)}: a new reference. */
    static long newMethodResult(long object, String name, Object[] positional) {
        return with(
                name,
                ownedName -> newResult(
                        positional,
                        object,
                        array -> Abstract.PyObject_VectorcallMethod(ownedName, array, positional.length + 1L, 0)));
    }

    /** An address of arguments to a new reference, or 0. */
    private interface Call {
        long newResultOrNull(long array);
    }

    /** Makes the call with the values as objects in an array, behind {@code self} unless that is 0. */
    private static long newResult(Object[] values, long self, Call call) {
        int first = self == 0 ? 0 : 1;
        try (Arena arena = Arena.ofConfined()) {
            long array = arena.allocate(8L * (values.length + first + 1), 8).address();
            long objects = array + 8L * first;
            Memory.putLong(array, self);
            // The arena's memory is zero: so ends what was made, if making one fails.
            return Owned.ending(() -> release(objects, values.length), () -> {
                for (int i = 0; i < values.length; i++) {
                    Memory.putLong(objects + 8L * i, ToPython.newObject(values[i]));
                }
                return PyErr.checked(call.newResultOrNull(array));
            });
        }
    }

    private static void release(long objects, int count) {
        for (int i = 0; i < count; i++) {
            Refs.decrefOrNull(Memory.getLong(objects + 8L * i));
        }
    }
}
