package dev.jvloop.host;

import dev.jvloop.Keywords;
import dev.jvloop.capi.Abstract;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import dev.jvloop.py.Scratch;
import java.util.Arrays;
import java.util.function.LongFunction;

/** Calling Python with Java's values as arguments. In Python. */
final class JavaArguments {
    private JavaArguments() {}

    /** Runs something with a value as a Python object, and releases that. */
    static <T> T with(Object value, LongFunction<T> action) {
        long owned = ToPython.newObject(value);
        return Owned.releasing(owned, () -> action.apply(owned));
    }

    /** {@code callable(*arguments)}: a new reference. */
    static long newCallResult(long callable, Object[] arguments) {
        return newResult(
                arguments, 0, (array, count, names) -> Abstract.PyObject_Vectorcall(callable, array, count, names));
    }

    /** {@code object.name(*arguments)}: a new reference. */
    static long newMethodResult(long object, long name, Object[] arguments) {
        return newResult(
                arguments,
                object,
                (array, count, names) -> Abstract.PyObject_VectorcallMethod(name, array, count, names));
    }

    /** Arguments as the vectorcall protocol has them to a new reference, or 0. */
    private interface Call {
        long newResultOrNull(long array, long count, long names);
    }

    /** Calls with what is last in {@code arguments} as keywords, if it is that, behind {@code self} unless that is 0. */
    private static long newResult(Object[] arguments, long self, Call call) {
        int last = arguments.length - 1;
        if (last < 0 || !(arguments[last] instanceof Keywords keywords)) {
            return newResult(arguments, arguments.length, self, 0, call);
        }
        Object[] names = keywords.asMap().keySet().toArray();
        Object[] values = Arrays.copyOf(arguments, last + names.length);
        System.arraycopy(keywords.asMap().values().toArray(), 0, values, last, names.length);
        return with(names, ownedNames -> newResult(values, last, self, ownedNames, call));
    }

    /** Makes the call with the values as objects in an array, the first {@code positional} of them without a name. */
    private static long newResult(Object[] values, int positional, long self, long names, Call call) {
        int first = self == 0 ? 0 : 1;
        try (Scratch.Piece memory = Scratch.take(8L * (values.length + 1))) {
            long array = memory.address();
            long objects = array + 8L * first;
            Memory.putLong(array, self);
            // So ends what was made, if making one fails.
            for (int i = 0; i < values.length; i++) {
                Memory.putLong(objects + 8L * i, 0);
            }
            return Owned.ending(() -> release(objects, values.length), () -> {
                for (int i = 0; i < values.length; i++) {
                    Memory.putLong(objects + 8L * i, ToPython.newObject(values[i]));
                }
                return PyErr.checked(call.newResultOrNull(self == 0 ? objects : array, positional + first, names));
            });
        }
    }

    private static void release(long objects, int count) {
        for (int i = 0; i < count; i++) {
            Refs.decrefOrNull(Memory.getLong(objects + 8L * i));
        }
    }
}
