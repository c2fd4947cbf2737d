package dev.jvloop.linux;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import java.lang.foreign.Arena;

/** The environment of the process as C sees it. Java's {@code System.getenv} is a copy made at the JVM's start. */
public final class Environment {
    private static final CFunction SETENV = Downcall.plain("setenv");

    private Environment() {}

    /**
     * Sets a variable. The C library asks that no other thread uses the environment meanwhile.
     *
     * @throws IllegalArgumentException if the name is empty or contains {@code =}, or either contains a NUL
     */
    public static void set(String name, String value) {
        if (name.isEmpty() || name.contains("=") || (name + value).indexOf(0) >= 0) {
            throw new IllegalArgumentException("not a variable that an environment can hold: " + name);
        }
        try (Arena arena = Arena.ofConfined()) {
            SETENV.call(
                    arena.allocateFrom(name).address(),
                    arena.allocateFrom(value).address(),
                    1);
        }
    }
}
