package dev.jvloop.capi;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

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
    private static final MethodHandle DLSYM = Linker.nativeLinker()
            .downcallHandle(Linker.nativeLinker().defaultLookup().findOrThrow("dlsym"), Downcall.longs(Downcall.ARITY));

    private Symbols() {}

    /** The address of a global symbol, or 0 where the process has none of that name. */
    public static long findOrZero(String name) {
        return Memory.withString(name, Symbols::find);
    }

    private static long find(long name) {
        try {
            return (long) DLSYM.invokeExact(RTLD_DEFAULT, name, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
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
        private static final MethodHandle DLOPEN = Downcall.plain("dlopen");
        private static final MethodHandle DLERROR = Downcall.plain("dlerror");
    }

    /**
     * Loads a library for good, with its symbols in the global scope: where extension modules of Python expect its API.
     *
     * @throws UnsatisfiedLinkError with the linker's message
     */
    public static void loadGlobally(String path) {
        try (Arena arena = Arena.ofConfined()) {
            long name = arena.allocateFrom(path).address();
            if ((long) Loading.DLOPEN.invokeExact(name, RTLD_NOW_GLOBAL, 0L, 0L) == 0) {
                long message = (long) Loading.DLERROR.invokeExact(0L, 0L, 0L, 0L);
                throw new UnsatisfiedLinkError(message == 0 ? path : Memory.getString(message));
            }
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
