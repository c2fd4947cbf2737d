package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Python's exceptions in Java. */
class HostedErrorsTest {
    private static Python python;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
        }
    }

    private static PyException raisedBy(String source) {
        return assertThrows(PyException.class, () -> python.exec(source));
    }

    @Test
    void theTracebackIsInFrontOfTheStackTrace() {
        PyException e = raisedBy("""
            class Account:
                def withdraw(self):
                    raise ValueError("too much")

            def pay():
                Account().withdraw()

            pay()
            """);
        assertEquals("ValueError", e.pythonType());
        assertEquals("too much", e.pythonMessage());
        assertEquals("ValueError: too much", e.getMessage());
        List<String> python = Arrays.stream(e.pythonStackTrace())
                .map(StackTraceElement::toString)
                .toList();
        assertEquals(
                List.of("__main__.Account.withdraw(<java>:3)", "__main__.pay(<java>:6)", "__main__.<module>(<java>:8)"),
                python);
        assertEquals(python.getFirst(), e.getStackTrace()[0].toString());
        assertTrue(
                Arrays.stream(e.getStackTrace())
                        .anyMatch(frame -> frame.getMethodName().equals("theTracebackIsInFrontOfTheStackTrace")),
                () -> Arrays.toString(e.getStackTrace()));
    }

    @Test
    void framesOfModulesHaveTheirFiles() {
        PyException e = assertThrows(PyException.class, () -> python.call("json", "loads", "{"));
        assertEquals("json.decoder.JSONDecodeError", e.pythonType());
        StackTraceElement innermost = e.pythonStackTrace()[0];
        assertEquals("json.decoder", innermost.getClassName());
        assertTrue(innermost.getFileName().endsWith("json/decoder.py"), innermost::toString);
    }

    @Test
    void causesAreCauses() {
        PyException e = raisedBy("""
            try:
                try:
                    {}["missing"]
                except KeyError:
                    1 / 0
            except ZeroDivisionError as error:
                raise RuntimeError("in the end") from error
            """);
        assertEquals("RuntimeError: in the end", e.getMessage());
        assertEquals("ZeroDivisionError: division by zero", e.getCause().getMessage());
        assertEquals("KeyError: 'missing'", e.getCause().getCause().getMessage());
        assertNull(e.getCause().getCause().getCause());
        assertNull(raisedBy("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise OSError from None")
                .getCause());
    }

    @Test
    void causesThatGoRoundEnd() {
        PyException e = raisedBy("a = ValueError('a'); b = ValueError('b'); a.__cause__ = b; b.__cause__ = a; raise a");
        assertEquals("b", ((PyException) e.getCause()).pythonMessage());
        assertNull(e.getCause().getCause());
    }

    @Test
    void exceptionsOfAGroupAreSuppressedOnes() {
        PyException e = raisedBy("raise ExceptionGroup('two', [ValueError('one'), KeyError('other')])");
        assertEquals(2, e.getSuppressed().length);
        assertEquals("KeyError: 'other'", e.getSuppressed()[1].getMessage());
    }

    @Test
    void notesFollowTheMessage() {
        PyException e = raisedBy("e = ValueError('wrong')\ne.add_note('in line 5')\nraise e");
        assertEquals("wrong\nin line 5", e.pythonMessage());
    }

    @Test
    void anExceptionWithoutTextHasAMessage() {
        PyException e = raisedBy("class Mute(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Mute");
        assertEquals("__main__.Mute", e.pythonType());
        assertEquals("<its text cannot be made>", e.pythonMessage());
    }

    @Test
    void theExceptionObjectCanBeAsked() {
        PyException e = raisedBy("raise OSError(2, 'No such thing', 'name')");
        assertEquals("FileNotFoundError", e.pythonType());
        try (PyObject exception = e.exceptionOrNull()) {
            assertEquals(2, exception.attribute("errno").as(int.class));
        }
    }

    @Test
    void exitingPythonDoesNotExitJava() {
        assertEquals("SystemExit", raisedBy("import sys; sys.exit(3)").pythonType());
        assertEquals("KeyboardInterrupt", raisedBy("raise KeyboardInterrupt").pythonType());
    }

    @Test
    void whatDoesNotCompileIsASyntaxError() {
        PyException e = raisedBy("def f(:");
        assertEquals("SyntaxError", e.pythonType());
        assertTrue(e.pythonMessage().contains("(<java>, line 1)"), e::pythonMessage);
    }

    @Test
    void recursionWithoutEndIsARecursionError() {
        assertEquals("RecursionError", raisedBy("def f():\n    f()\nf()").pythonType());
    }

    @Test
    void anErrorOfAnArgumentsFinalizerIsNotTheCalls() {
        python.exec("class Bad:\n    def __del__(self):\n        raise ValueError('ignored')");
        python.exec("import sys; sys.unraisablehook = lambda unraisable: None");
        PyException e = assertThrows(PyException.class, () -> {
            try (PyObject bad = python.eval("Bad()")) {
                python.call("math", "sqrt", bad);
            }
        });
        assertEquals("TypeError", e.pythonType());
    }
}
