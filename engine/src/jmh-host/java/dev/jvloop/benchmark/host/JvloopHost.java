package dev.jvloop.benchmark.host;

import dev.jvloop.PyBuffer;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/** jvloop. */
public final class JvloopHost implements PythonHost {
    private final Python python;
    private final PyObject sqrt;
    private final PyObject upper;
    private final PyObject sorted;
    private final PyObject point;
    private final PyObject memory;
    private final PyObject fail;

    /** Starts the Python of an executable. */
    public JvloopHost(Path interpreter) {
        python = Python.configure().interpreter(interpreter).start();
        python.exec(PREPARATION);
        sqrt = python.eval("sqrt");
        upper = python.eval("str.upper");
        sorted = python.eval("sorted");
        point = python.eval("point");
        memory = python.eval("memory");
        fail = python.eval("fail");
    }

    @Override
    public double squareRoot(double number) {
        return sqrt.callAs(double.class, number);
    }

    @Override
    public double squareRootByName(double number) {
        return python.callAs(double.class, "math", "sqrt", number);
    }

    @Override
    public String upper(String text) {
        return upper.callAs(String.class, text);
    }

    @Override
    public List<?> sorted(int[] values) {
        return sorted.callAs(List.class, (Object) values);
    }

    @Override
    public long attribute() {
        return point.attribute("x", long.class);
    }

    @Override
    public int lastByte() {
        try (PyBuffer buffer = memory.buffer()) {
            MemorySegment bytes = buffer.segment();
            return Byte.toUnsignedInt(bytes.get(ValueLayout.JAVA_BYTE, bytes.byteSize() - 1));
        }
    }

    @Override
    public void execute() {
        python.exec("number = 1");
    }

    @Override
    public String fail() {
        try {
            return fail.callAs(String.class);
        } catch (PyException e) {
            return e.getMessage();
        }
    }

    @Override
    public void close() {
        python.close();
    }
}
