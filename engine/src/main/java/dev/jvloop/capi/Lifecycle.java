package dev.jvloop.capi;

import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Symbols;

/** Whether there is an interpreter, and its end. Functions of pylifecycle.h, each looked up when it is called. */
public final class Lifecycle {
    private Lifecycle() {}

    /** Whether an interpreter runs in this process. Works in a process without Python too. */
    public static boolean isInitialized() {
        long function = Symbols.findOrZero("Py_IsInitialized");
        return function != 0
                && (int) Downcall.plainAt("Py_IsInitialized", function).call() != 0;
    }

    /** 0, or -1 if what Python's files had buffered could not be written. The thread that initialised, with the GIL. */
    public static int Py_FinalizeEx() {
        return (int) Downcall.plain("Py_FinalizeEx").call();
    }
}
