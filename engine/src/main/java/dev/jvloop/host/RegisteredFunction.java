package dev.jvloop.host;

import dev.jvloop.JavaFunction;
import dev.jvloop.Keywords;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * A function of the program's, and what a call of it from Python is.
 *
 * @param isBlocking whether it runs on a virtual thread of its own
 */
record RegisteredFunction(Interpreter interpreter, String name, JavaFunction function, boolean isBlocking) {
    /**
     * The call, with the arguments as the vectorcall protocol has them.
     *
     * @return a new reference
     * @throws PythonError what the function threw
     */
    long newResult(long arguments, long count, long names) {
        try {
            Object[] values = values(arguments, (int) count, names);
            return isBlocking ? newFuture(values) : newResult(values);
        } catch (PythonError e) {
            throw e;
        } catch (Throwable t) {
            throw JavaErrors.raised(t);
        }
    }

    private Object[] values(long arguments, int count, long names) {
        int named = names == 0 ? 0 : (int) Py.size(names);
        Object[] values = new Object[named == 0 ? count : count + 1];
        for (int i = 0; i < count; i++) {
            values[i] = interpreter.natural(Arguments.get(arguments, i));
        }
        if (named != 0) {
            Map<String, Object> keywords = new LinkedHashMap<>();
            for (int i = 0; i < named; i++) {
                keywords.put(
                        Texts.of(Py.tupleItem(names, i)), interpreter.natural(Arguments.get(arguments, count + i)));
            }
            values[count] = Keywords.of(keywords);
        }
        return values;
    }

    private long newResult(Object[] values) throws Exception {
        Object result = interpreter.threads().runJava(() -> function.call(values));
        if (result instanceof CompletionStage<?> stage) {
            long ownedFutureOrNull = StageFuture.newOrNull(interpreter, stage);
            if (ownedFutureOrNull != 0) {
                return ownedFutureOrNull;
            }
        }
        return ToPython.newObject(result);
    }

    private long newFuture(Object[] values) {
        BlockingCall call = new BlockingCall("jvloop function " + name, () -> function.call(values));
        long ownedFutureOrNull = StageFuture.newOrNull(interpreter, call);
        if (ownedFutureOrNull == 0) {
            throw PyErr.raise(
                    PyErr.RUNTIME_ERROR,
                    name + "() returns a future of the running event loop, and there is none here");
        }
        call.start();
        return ownedFutureOrNull;
    }
}
