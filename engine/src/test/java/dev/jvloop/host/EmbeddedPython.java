package dev.jvloop.host;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * A Java program that loads CPython into its process and runs a script in it: {@code EmbeddedPython LIBPYTHON SCRIPT}.
 * Its exit status is that of the script: 0, or 1 after an exception.
 */
final class EmbeddedPython {
    private static final int RTLD_NOW_GLOBAL = 2 | 0x100;
    private static final long STACK_SIZE_BYTES = 8L << 20;

    private EmbeddedPython() {}

    public static void main(String[] args) throws InterruptedException {
        int[] status = {2};
        // CPython expects the stack of a main thread.
        Thread thread = new Thread(null, () -> status[0] = run(args[0], args[1]), "python", STACK_SIZE_BYTES);
        thread.start();
        thread.join();
        System.exit(status[0]);
    }

    private static int run(String library, String script) {
        try (Arena arena = Arena.ofConfined()) {
            Linker linker = Linker.nativeLinker();
            FunctionDescriptor open =
                    FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
            MemorySegment dlopen = linker.defaultLookup().findOrThrow("dlopen");
            // Global, as an extension module of Python expects its API to be, and as jvloop's engine looks it up.
            MemorySegment handle = (MemorySegment)
                    linker.downcallHandle(dlopen, open).invokeExact(arena.allocateFrom(library), RTLD_NOW_GLOBAL);
            if (handle.equals(MemorySegment.NULL)) {
                throw new UnsatisfiedLinkError(library);
            }
            SymbolLookup python = SymbolLookup.libraryLookup(library, Arena.global());
            MethodHandle initialize = linker.downcallHandle(
                    python.findOrThrow("Py_InitializeEx"), FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT));
            MethodHandle runString = linker.downcallHandle(
                    python.findOrThrow("PyRun_SimpleStringFlags"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
            MethodHandle end = linker.downcallHandle(
                    python.findOrThrow("Py_FinalizeEx"), FunctionDescriptor.of(ValueLayout.JAVA_INT));
            initialize.invokeExact(0);
            int failed = (int) runString.invokeExact(arena.allocateFrom(script), MemorySegment.NULL);
            return failed != 0 || (int) end.invokeExact() != 0 ? 1 : 0;
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }
}
