package dev.jvloop.foreign;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;

/**
 * Finds symbols in the process's global scope.
 *
 * <p>CPython comes as an executable linked against a shared libpython and as a static executable that exports the
 * C API itself (Debian). Loading libpython by its file name into the second kind brings a second, uninitialised
 * interpreter into the process. {@code dlsym(RTLD_DEFAULT, name)} is right for both, and for a Java host that loaded
 * libpython with {@code RTLD_GLOBAL}.
 */
public final class Symbols {
    private static final long RTLD_DEFAULT = 0;
    private static final long RTLD_NOW_GLOBAL = 2 | 0x100;
    private static final CFunction DLSYM =
            new CFunction.Plain(Linker.nativeLinker().defaultLookup().findOrThrow("dlsym"));

    private Symbols() {}

    /** The address of a global symbol, or 0 where the process has none of that name. */
    public static long findOrZero(String name) {
        return Memory.withString(name, Symbols::find);
    }

    private static long find(long name) {
        return DLSYM.call(RTLD_DEFAULT, name);
    }

    /**
     * The address of a global symbol.
     *
     * @throws UnsatisfiedLinkError if the process has none of that name
     */
    public static MemorySegment findOrThrow(String name) {
        long address = findOrZero(name);
        if (address == 0) {
            throw new UnsatisfiedLinkError("this process exports no symbol " + name
                    + ": is it a CPython 3.11 or newer that exports its C API?");
        }
        return MemorySegment.ofAddress(address);
    }

    /** Bound on first use: only a Java program that starts Python loads a library. */
    private static final class Loading {
        private static final CFunction DLOPEN = Downcall.plain("dlopen");
        private static final CFunction DLERROR = Downcall.plain("dlerror");
    }

    /**
     * Loads a library for good, with its symbols in the global scope: where extension modules of Python expect its API.
     *
     * @throws UnsatisfiedLinkError with the linker's message
     */
    public static void loadGlobally(String path) {
        try (Arena arena = Arena.ofConfined()) {
            long name = arena.allocateFrom(path).address();
            if (Loading.DLOPEN.call(name, RTLD_NOW_GLOBAL) == 0) {
                long message = Loading.DLERROR.call();
                throw new UnsatisfiedLinkError(message == 0 ? path : Memory.getString(message));
            }
        }
    }
}
