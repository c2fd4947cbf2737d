package dev.jvloop.host;

import dev.jvloop.foreign.Memory;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop._host_functions.JavaFunction}. */
@SuppressWarnings("unused")
final class FunctionMethods {
    private static final long JAVA_HALF = Namespace.integer("slot.JavaFunction._java_half");

    private FunctionMethods() {}

    /** Gives the Python class its methods. */
    static void attach() {
        new MethodTable(MethodHandles.lookup(), FunctionMethods.class, Namespace.object("type.JavaFunction"))
                .keywords("__call__", "($self, /, *args, **kwargs)", "Call the Java function.");
    }

    private static long __call__(long self, long arguments, long count, long names) {
        return ((RegisteredFunction) JavaReference.get(Memory.getLong(self + JAVA_HALF)))
                .newResult(arguments, count, names);
    }
}
