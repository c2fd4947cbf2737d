package dev.jvloop.py;

import dev.jvloop.capi.Dicts;
import dev.jvloop.capi.Longs;
import java.lang.foreign.Arena;

/**
 * What the Python package hands over at start-up: one dict with the classes, the singletons, the helpers that Java
 * calls, and the offsets it found in the running interpreter. It lives as long as the process, so every address
 * read from it is a borrowed reference that stays valid.
 */
public final class Namespace {
    private static long dict;

    private Namespace() {}

    /** Called once, before any class that reads constants from here is initialised. */
    public static void set(long borrowedDict) {
        dict = borrowedDict;
    }

    /**
     * A borrowed reference to the entry.
     *
     * @throws IllegalStateException if the Python package did not provide it
     */
    public static long object(String key) {
        long value = find(key);
        if (value == 0) {
            throw new IllegalStateException("the Python package and the engine do not match: no " + key);
        }
        return value;
    }

    /** An entry that is a Python int: an offset in bytes, or a flag. */
    public static long integer(String key) {
        return Longs.PyLong_AsLongLong(object(key));
    }

    private static long find(String key) {
        try (Arena arena = Arena.ofConfined()) {
            return Dicts.PyDict_GetItemString(dict, arena.allocateFrom(key).address());
        }
    }

}
