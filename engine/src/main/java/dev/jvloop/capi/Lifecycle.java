package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Whether there is an interpreter, and its end. Functions of pylifecycle.h, each looked up when it is called. */
public final class Lifecycle {
    private Lifecycle() {}

    /** Whether an interpreter runs in this process. Works in a process without Python too. */
    public static boolean isInitialized() {
        long function = Symbols.findOrZero("Py_IsInitialized");
        return function != 0 && call(Downcall.plainAt("Py_IsInitialized", function)) != 0;
    }

    /** 0, or -1 if what Python's files had buffered could not be written. The thread that initialised, with the GIL. */
    public static int Py_FinalizeEx() {
        return call(Downcall.plain("Py_FinalizeEx"));
    }

    private static int call(MethodHandle function) {
        try {
            return (int) (long) function.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
