package dev.jvloop.py;

import dev.jvloop.foreign.Memory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the Python package hands over at start-up: the classes, the singletons, the helpers that Java calls, and the
 * offsets it found in the running interpreter. The objects live as long as the process, so every address read from
 * here is a borrowed reference that stays valid.
 *
 * <p>It comes as one block of memory: the address of the names (UTF-8, one a line), and then for each of them a word,
 * the address of an object or a plain number. Reading it costs no call into Python; a look-up for each of some hundred
 * names took a fifth of the engine's start.
 */
public final class Namespace {
    private static final Map<String, Long> ENTRIES = new ConcurrentHashMap<>(256);

    private Namespace() {}

    /** Called before any class that reads constants of this block from here is initialised. */
    public static void add(long block) {
        String[] names = Memory.getString(Memory.getLong(block)).split("\n");
        for (int i = 0; i < names.length; i++) {
            ENTRIES.put(names[i], Memory.getLong(block + 8 + 8L * i));
        }
    }

    /**
     * A borrowed reference to an object.
     *
     * @throws IllegalStateException if the Python package did not provide it
     */
    public static long object(String key) {
        return integer(key);
    }

    /**
     * A number: an offset in bytes, or a flag.
     *
     * @throws IllegalStateException if the Python package did not provide it
     */
    public static long integer(String key) {
        Long value = ENTRIES.get(key);
        if (value == null) {
            throw new IllegalStateException("the Python package and the engine do not match: no " + key);
        }
        return value;
    }
}
