package dev.jvloop.bridge;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/** An engine that does not start, in the way that the property {@code refuse} names. */
public final class Bootstrap {
    public static long start(long namespace) throws Throwable {
        switch (System.getProperty("refuse")) {
            case "exception" ->
                throw new IllegalStateException("falling \u2603", new IOException("a leak in the roof"));
            case "describing" -> throw new Indescribable();
            case "python" -> setPythonError();
            case "silent" -> {
                // Says that there was an error, but sets none.
            }
            default -> throw new IllegalArgumentException();
        }
        return -1;
    }

    private static void setPythonError() throws Throwable {
        var linker = Linker.nativeLinker();
        var process = linker.defaultLookup();
        var dlsym = linker.downcallHandle(
                process.find("dlsym").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        try (var arena = Arena.ofConfined()) {
            var none = java.lang.foreign.MemorySegment.NULL;
            var setString = (java.lang.foreign.MemorySegment) dlsym.invokeExact(none, arena.allocateFrom("PyErr_SetString"));
            var type = (java.lang.foreign.MemorySegment) dlsym.invokeExact(none, arena.allocateFrom("PyExc_ValueError"));
            var pointer = type.reinterpret(ValueLayout.ADDRESS.byteSize()).get(ValueLayout.ADDRESS, 0);
            linker.downcallHandle(setString, FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                    .invokeExact(pointer, arena.allocateFrom("an object header of 24 bytes is not known"));
        }
    }

    private static final class Indescribable extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String toString() {
            throw new Indescribable();
        }
    }
}
