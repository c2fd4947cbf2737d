package dev.jvloop.py;

import dev.jvloop.capi.Memory;

/** Reading the arguments of a METH_FASTCALL method. */
public final class Arguments {
    private Arguments() {}

    /** A borrowed reference to the argument. */
    public static long get(long arguments, long index) {
        return Memory.getLong(arguments + 8 * index);
    }

    /** Raises TypeError unless there are exactly {@code expected} arguments. */
    public static void expectCount(String method, long count, long expected) {
        if (count != expected) {
            throw PyErr.raise(PyErr.TYPE_ERROR,
                    method + "() takes exactly " + expected + " arguments (" + count + " given)");
        }
    }

    /**
     * The value of the keyword argument {@code context}, the only one a scheduling method has.
     *
     * @param values address of the keyword arguments' values
     * @param names tuple of their names, or 0 for none
     * @return a borrowed reference, or 0 where it was not passed
     */
    public static long contextOrNull(String method, long values, long names) {
        if (names == 0) {
            return 0;
        }
        long count = Py.size(names);
        for (long i = 0; i < count; i++) {
            long name = Py.tupleItem(names, i);
            // asyncio's C code passes a name that is not interned on some versions.
            if (name != Names.CONTEXT && !Py.text(name).equals("context")) {
                throw PyErr.raise(PyErr.TYPE_ERROR, method + "() got an unexpected keyword argument "
                        + "'" + Py.text(name) + "'");
            }
        }
        return count == 0 ? 0 : get(values, 0);
    }
}
