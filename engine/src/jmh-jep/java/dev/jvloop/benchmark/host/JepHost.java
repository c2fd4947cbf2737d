package dev.jvloop.benchmark.host;

import java.nio.file.Path;
import java.util.List;
import jep.JepConfig;
import jep.JepException;
import jep.MainInterpreter;
import jep.SharedInterpreter;
import jep.python.PyCallable;
import jep.python.PyObject;

/**
 * JEP, in the fastest of its own ways: an array gets to Python as an object around it, a list likewise but slower. It has no module of a function in a call by name: that is the name in the main namespace.
 */
public final class JepHost implements PythonHost {
    private final SharedInterpreter python;
    private final PyCallable sqrt;
    private final PyCallable upper;
    private final PyCallable sorted;
    private final PyObject point;
    private final PyObject memory;
    private final PyCallable fail;

    /** Starts the Python that JEP's library, {@code .../site-packages/jep/libjep.so}, is linked with. */
    public JepHost(Path library) {
        MainInterpreter.setJepLibraryPath(library.toString());
        SharedInterpreter.setConfig(
                new JepConfig().addIncludePaths(library.getParent().getParent().toString()));
        python = new SharedInterpreter();
        python.exec(PREPARATION);
        sqrt = python.getValue("sqrt", PyCallable.class);
        upper = python.getValue("str.upper", PyCallable.class);
        sorted = python.getValue("sorted", PyCallable.class);
        point = python.getValue("point", PyObject.class);
        memory = python.getValue("memory", PyObject.class);
        fail = python.getValue("fail", PyCallable.class);
    }

    @Override
    public double squareRoot(double number) {
        return (Double) sqrt.call(number);
    }

    @Override
    public double squareRootByName(double number) {
        return (Double) python.invoke("sqrt", number);
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
        return point.getAttr("x", Long.class);
    }

    @Override
    public int lastByte() {
        byte[] bytes = memory.as(byte[].class);
        return Byte.toUnsignedInt(bytes[bytes.length - 1]);
    }

    @Override
    public void execute() {
        python.exec("number = 1");
    }

    @Override
    public String fail() {
        try {
            return fail.callAs(String.class);
        } catch (JepException e) {
            return e.getMessage();
        }
    }

    @Override
    public void close() {
        python.close();
    }
}
