package dev.jvloop.benchmark.host;

import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import java.nio.file.Path;
import java.util.List;

/** jvloop. A handle that a call gives is closed, as programs should. */
public final class JvloopHost implements PythonHost {
    private final Python python;
    private final PyObject sqrt;
    private final PyObject upper;
    private final PyObject sorted;
    private final PyObject point;
    private final PyObject fail;

    /** Starts the Python of an executable. */
    public JvloopHost(Path interpreter) {
        python = Python.configure().interpreter(interpreter).start();
        python.exec(PREPARATION);
        sqrt = python.eval("sqrt");
        upper = python.eval("str.upper");
        sorted = python.eval("sorted");
        point = python.eval("point");
        fail = python.eval("fail");
    }

    @Override
    public double squareRoot(double number) {
        try (PyObject result = sqrt.call(number)) {
            return result.as(double.class);
        }
    }

    @Override
    public double squareRootByName(double number) {
        try (PyObject result = python.call("math", "sqrt", number)) {
            return result.as(double.class);
        }
    }

    @Override
    public String upper(String text) {
        try (PyObject result = upper.call(text)) {
            return result.as(String.class);
        }
    }

    @Override
    public List<?> sorted(int[] values) {
        try (PyObject result = sorted.call((Object) values)) {
            return result.as(List.class);
        }
    }

    @Override
    public long attribute() {
        try (PyObject result = point.attribute("x")) {
            return result.as(long.class);
        }
    }

    @Override
    public void execute() {
        python.exec("number = 1");
    }

    @Override
    public String fail() {
        try (PyObject result = fail.call()) {
            return result.str();
        } catch (PyException e) {
            return e.getMessage();
        }
    }

    @Override
    public void close() {
        python.close();
    }
}
