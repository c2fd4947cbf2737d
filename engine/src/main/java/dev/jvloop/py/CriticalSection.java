package dev.jvloop.py;

import dev.jvloop.capi.CriticalSections;
import dev.jvloop.capi.Version;
import java.lang.foreign.Arena;

/**
 * Holds the lock of a Python object while its slots are read or replaced, in free-threaded Python. CPython's own code
 * takes the same lock to set a slot, so what a slot holds stays alive until it is increfed. Nothing in it may run
 * Python code. In normal builds there is no such lock, and the GIL does its work.
 */
public final class CriticalSection implements AutoCloseable {
    /** sizeof(PyCriticalSection): a link to the one around it, and the mutex. */
    private static final long SIZE = 16;

    private final Arena arena = Arena.ofConfined();
    private final long section = arena.allocate(SIZE, 8).address();

    private CriticalSection(long object) {
        CriticalSections.PyCriticalSection_Begin(section, object);
    }

    /** Null in normal builds. */
    public static CriticalSection ofOrNull(long object) {
        return Version.FREE_THREADED ? new CriticalSection(object) : null;
    }

    @Override
    public void close() {
        CriticalSections.PyCriticalSection_End(section);
        arena.close();
    }
}
