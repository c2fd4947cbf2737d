package dev.jvloop.host;

import dev.jvloop.capi.Memory;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import java.lang.invoke.MethodHandles;
import java.util.concurrent.CompletionStage;

/** The methods of {@code jvloop._host_functions.Host}, Python's object for the {@link Interpreter}. */
@SuppressWarnings("unused")
final class HostMethods {
    private static final long JAVA_HALF = Namespace.integer("slot.Host._java_half");

    private HostMethods() {}

    /** Gives the Python class its methods. */
    static void attach() {
        new MethodTable(MethodHandles.lookup(), HostMethods.class, Namespace.object("type.Host"))
                .oneArgument("_new_future", "($self, stage, /)", "A future of the running loop for a JavaStage.");
    }

    private static long _new_future(long self, long stage, long unused1, long unused2) {
        Interpreter interpreter = (Interpreter) JavaReference.get(Memory.getLong(self + JAVA_HALF));
        return StageFuture.newOrNull(interpreter, (CompletionStage<?>) JavaObjects.getOrNull(stage));
    }
}
