package dev.jvloop.host;

import dev.jvloop.py.Refs;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongFunction;

/**
 * The names of modules, functions and attributes that a program uses, as strs: made once and kept. An interned name is
 * what CPython's own caches of attributes ask for, and a new str for each use would cost as much as the lookup. In
 * Python.
 */
final class InternedNames {
    /** What a program that makes its names up as it goes may keep here; names beyond are made for each use. */
    private static final int LIMIT = 4096;

    private final Map<String, Long> ownedNames = new ConcurrentHashMap<>();

    /** Runs something with a name. */
    <T> T with(String name, LongFunction<T> action) {
        Long kept = ownedNames.get(name);
        if (kept != null) {
            return action.apply(kept);
        }
        if (ownedNames.size() >= LIMIT) {
            return JavaArguments.with(name, action);
        }
        return action.apply(keep(name));
    }

    private long keep(String name) {
        long ownedName = Texts.newInterned(name);
        Long before = ownedNames.putIfAbsent(name, ownedName);
        if (before == null) {
            return ownedName;
        }
        Refs.decref(ownedName);
        return before;
    }
}
