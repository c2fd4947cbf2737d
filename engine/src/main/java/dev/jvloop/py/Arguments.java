package dev.jvloop.py;

import dev.jvloop.foreign.Memory;

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
            throw PyErr.raise(
                    PyErr.TYPE_ERROR, method + "() takes exactly " + expected + " arguments (" + count + " given)");
        }
    }

    /** Whether the keyword arguments are none, or {@code context} alone, which the scheduling methods take. */
    public static boolean areContextOnly(long names) {
        return names == 0 || names == contextNames || areContextOnlyByText(names);
    }

    /**
     * The tuple of names that was found to be {@code ("context",)} last, held so that its address stays its own.
     * asyncio's C code passes the same one for every step of every task, with a name that is not interned on some
     * versions, so that only comparing the text would tell.
     */
    private static long contextNames;

    private static boolean areContextOnlyByText(long names) {
        if (Py.size(names) != 1) {
            return Py.size(names) == 0;
        }
        long name = Py.tupleItem(names, 0);
        if (name != Names.CONTEXT && !Py.text(name).equals("context")) {
            return false;
        }
        if (contextNames == 0) {
            contextNames = Refs.incref(names);
        }
        return true;
    }

    /**
     * The value of the keyword argument {@code context}, where {@link #areContextOnly} holds.
     *
     * @param values address of the keyword arguments' values
     * @param names tuple of their names, or 0 for none
     * @return a borrowed reference, or 0 where it was not passed
     */
    public static long contextOrNull(long values, long names) {
        return names == 0 || Py.size(names) == 0 ? 0 : get(values, 0);
    }
}
