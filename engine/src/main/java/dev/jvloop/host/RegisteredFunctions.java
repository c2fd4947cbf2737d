package dev.jvloop.host;

import dev.jvloop.Functions;
import dev.jvloop.JavaFunction;
import dev.jvloop.py.Calls;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;

/** The functions of the program, which Python keeps: {@code _host_functions.functions}. */
final class RegisteredFunctions implements Functions {
    private final Interpreter interpreter;

    RegisteredFunctions(Interpreter interpreter) {
        this.interpreter = interpreter;
    }

    @Override
    public void register(String name, JavaFunction function) {
        add(new RegisteredFunction(interpreter, name, function, false));
    }

    @Override
    public void registerBlocking(String name, JavaFunction function) {
        add(new RegisteredFunction(interpreter, name, function, true));
    }

    private void add(RegisteredFunction function) {
        String name = function.name();
        interpreter.run(() -> {
            if (!isTrue(HostNames.IS_FUNCTION_NAME, string(name))) {
                throw new IllegalArgumentException(
                        "Python cannot import \"" + name + "\" from jvloop.host: a function's"
                                + " name is an identifier without a leading underscore, and none that the module has itself");
            }
            if (!isTrue(HostNames.ADD_FUNCTION, string(name), new Calls.Owned(JavaReference.newFor(function)))) {
                throw new IllegalStateException("there is a function \"" + name + "\" already");
            }
            return null;
        });
    }

    @Override
    public boolean remove(String name) {
        return interpreter.run(() -> isTrue(HostNames.REMOVE_FUNCTION, string(name)));
    }

    private static Calls.Owned string(String text) {
        return new Calls.Owned(Texts.newString(text));
    }

    private static boolean isTrue(long helper, Object... arguments) {
        long ownedAnswer = Calls.newResult(helper, arguments);
        boolean answer = ownedAnswer == Py.TRUE;
        Refs.decref(ownedAnswer);
        return answer;
    }
}
