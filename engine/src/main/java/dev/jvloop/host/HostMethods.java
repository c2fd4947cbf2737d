package dev.jvloop.host;

import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Gil;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
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
                .oneArgument("_new_future", "($self, stage, /)", "A future of the running loop for a stage.")
                .oneArgument("_add_modules", "($self, paths, /)", "Have the modules in jars register their functions.")
                .noArguments("_end", "($self, /)", "Let no Java thread in any more: Python is about to end.");
    }

    private static Interpreter of(long host) {
        return (Interpreter) JavaReference.get(Memory.getLong(host + JAVA_HALF));
    }

    private static long _new_future(long self, long stage, long unused1, long unused2) {
        Interpreter interpreter = of(self);
        if (!(interpreter.natural(stage) instanceof CompletionStage<?> javaStage)) {
            throw PyErr.raise(
                    PyErr.TYPE_ERROR, "a CompletionStage from Java is needed, not a " + Failures.typeName(stage));
        }
        long ownedFutureOrNull = StageFuture.newOrNull(interpreter, javaStage);
        if (ownedFutureOrNull == 0) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "no running event loop");
        }
        return ownedFutureOrNull;
    }

    private static long _add_modules(long self, long paths, long unused1, long unused2) {
        Interpreter interpreter = of(self);
        try {
            Object[] texts = (Object[]) interpreter.natural(paths);
            interpreter.threads().runJava(() -> {
                HostModules.register(interpreter, texts);
                return null;
            });
            return Py.newNone();
        } catch (PythonError e) {
            throw e;
        } catch (Throwable t) {
            throw JavaErrors.raised(t);
        }
    }

    private static long _end(long self, long unused1, long unused2, long unused3) {
        Interpreter interpreter = of(self);
        Gil.without(() -> {
            interpreter.detach();
            return null;
        });
        return Py.newNone();
    }
}
