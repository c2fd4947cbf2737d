package dev.jvloop.capi;

import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Memory;
import dev.jvloop.foreign.Symbols;

/** Which CPython this process runs, and what follows from it for the raw calls. */
public final class Version {
    /** {@code Py_Version}: {@code sys.hexversion}, exported since 3.11. */
    private static final int HEX =
            Memory.getInt(Symbols.findOrThrow("Py_Version").address());

    /**
     * Whether threads run Python at the same time, without a GIL. Such a build exports what reference counting needs
     * there; it has another object header too.
     */
    public static final boolean FREE_THREADED = Symbols.findOrZero("_Py_MergeZeroLocalRefcount") != 0;

    /**
     * From 3.12 an allocation only asks for a cyclic collection, which then runs at the eval breaker. Before, it
     * runs on the spot, and with it finalizers: no critical downcall may allocate a GC-tracked object there.
     */
    public static final boolean COLLECTS_AT_EVAL_BREAKER = atLeast(3, 12);

    /**
     * Before 3.14, which brought context watchers, entering a context that nobody is in and leaving it runs no Python
     * code and allocates nothing. (Entering one that is in use raises an error, which allocates: callers look first.
     * In free-threaded Python looking first is no promise.)
     */
    public static final boolean CONTEXT_SWITCH_RUNS_NO_PYTHON = !FREE_THREADED && !atLeast(3, 14);

    /** From 3.12 objects with a refcount in the upper ranges are immortal and their count is never written. */
    public static final boolean HAS_IMMORTAL_OBJECTS = atLeast(3, 12);

    /**
     * From 3.12 each thread has a count for the recursion of C functions alone; from 3.14 CPython looks at the stack
     * instead.
     */
    public static final boolean COUNTS_C_RECURSION = atLeast(3, 12) && !atLeast(3, 14);

    /** From 3.12 the error indicator is one exception object. */
    public static final boolean RAISED_EXCEPTION_IS_ONE_OBJECT = atLeast(3, 12);

    private Version() {}

    public static boolean atLeast(int major, int minor) {
        return HEX >>> 16 >= (major << 8 | minor);
    }

    /** For example {@code 3.13.0}. */
    public static String text() {
        return (HEX >>> 24) + "." + (HEX >>> 16 & 0xff) + "." + (HEX >>> 8 & 0xff);
    }

    /** {@code sys.version} of the loaded library, for example {@code 3.13.0 (main, Oct  7 2024, 10:00:00) [GCC 12.2.0]}. */
    public static String ofLibrary() {
        return Memory.getString(Downcall.plain("Py_GetVersion").call());
    }
}
