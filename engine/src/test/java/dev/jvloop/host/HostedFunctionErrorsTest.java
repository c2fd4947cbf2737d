package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.JavaFunction;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Exceptions that cross the border between Java functions and Python, in both directions. */
class HostedFunctionErrorsTest {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static Python python;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("""
                import asyncio, jvloop.host
                from jvloop.host import JavaError

                def caught(function, *args):
                    try:
                        function(*args)
                    except BaseException as e:
                        return e
                    raise AssertionError("nothing was raised")
                """);
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
        }
    }

    private static String registered(JavaFunction function) {
        String name = "function" + NUMBER.incrementAndGet();
        python.functions().register(name, function);
        return "jvloop.host." + name;
    }

    private static String throwing(Throwable t) {
        return registered(arguments -> {
            switch (t) {
                case Exception e -> throw e;
                case Error e -> throw e;
                default -> throw new AssertionError(t);
            }
        });
    }

    private static Throwable thrownBy(String expression) {
        return assertThrows(Throwable.class, () -> python.eval(expression));
    }

    @Test
    void aJavaExceptionIsAPythonOne() {
        String function = registered(arguments -> {
            throw new IllegalStateException("no such key");
        });
        python.exec("error = caught(" + function + ")");
        assertEquals("JavaError", python.eval("type(error).__name__", String.class));
        assertEquals("java.lang.IllegalStateException", python.eval("error.java_class", String.class));
        assertEquals("no such key", python.eval("error.message", String.class));
        List<?> lines = (List<?>) python.eval("str(error).splitlines()", Object.class);
        assertEquals("java.lang.IllegalStateException: no such key", lines.getFirst());
        assertTrue(lines.get(1).toString().startsWith("    at " + HostedFunctionErrorsTest.class.getName()));
        // The frames of the function, and none of what called it.
        assertEquals(lines.size() - 1, python.eval("len(error.java_stack)", int.class));
        assertEquals(1, lines.size() - 1);
        assertTrue(python.eval("isinstance(error, Exception) and error.__cause__ is None", boolean.class));
        assertEquals(
                "error.message",
                python.eval(
                        "__import__('pickle').loads(__import__('pickle').dumps(error)).message and"
                                + " 'error.message'",
                        String.class));
    }

    @Test
    void causesAreCauses() {
        Exception inner = new IOException("disk");
        Exception outer = new IllegalStateException("outer", new RuntimeException(null, inner));
        python.exec("error = caught(" + throwing(outer) + ")");
        assertEquals("java.lang.RuntimeException", python.eval("error.__cause__.java_class", String.class));
        assertNull(python.eval("error.__cause__.message", String.class));
        assertEquals("disk", python.eval("error.__cause__.__cause__.message", String.class));
        Exception round = new IllegalStateException("round");
        round.initCause(new RuntimeException("there", round));
        python.exec("error = caught(" + throwing(round) + ")");
        assertNull(python.eval("error.__cause__.__cause__", Object.class));
    }

    @Test
    void aLongStackIsCutInTheText() {
        RuntimeException deep = new RuntimeException("deep");
        StackTraceElement[] frames = new StackTraceElement[100];
        java.util.Arrays.fill(frames, new StackTraceElement("a.B", "c", "B.java", 1));
        deep.setStackTrace(frames);
        python.exec("error = caught(" + throwing(deep) + ")");
        assertEquals(100, python.eval("len(error.java_stack)", int.class));
        assertTrue(python.eval("str(error)", String.class).endsWith("\n    ... 68 more"));
    }

    @Test
    void uncheckedOnesComeBackAsThemselves() {
        RuntimeException exception = new IllegalStateException("the same");
        assertSame(exception, thrownBy(throwing(exception) + "()"));
        Error error = new AssertionError("the same");
        assertSame(error, thrownBy(throwing(error) + "()"));
        // Through several turns, and raised by Python code once more.
        String inner = throwing(exception);
        String outer = registered(arguments -> python.eval(inner + "()"));
        python.exec("def again():\n    try:\n        " + outer + "()\n    except JavaError as e:\n        raise e");
        assertSame(exception, thrownBy("again()"));
    }

    @Test
    void aCheckedOneIsTheCauseOfAPyException() throws Exception {
        IOException checked = new IOException("disk full", new RuntimeException("below"));
        String function = throwing(checked);
        PyException e = (PyException) thrownBy(function + "()");
        assertEquals("jvloop.host.JavaError", e.pythonType());
        assertTrue(e.getMessage().contains("java.io.IOException: disk full"), e::getMessage);
        assertSame(checked, e.getCause());
        // A future can have it as it is.
        ExecutionException failed = assertThrows(
                ExecutionException.class,
                () -> python.loop()
                        .submit(Object.class, python.eval("lambda: " + function + "()"))
                        .get(60, TimeUnit.SECONDS));
        assertSame(checked, failed.getCause());
    }

    @Test
    void aJavaExceptionIsTheCauseOfAPythonOneInJavaToo() {
        RuntimeException exception = new IllegalStateException("below");
        python.exec("def wrapping():\n    try:\n        " + throwing(exception)
                + "()\n    except JavaError as e:\n        raise ValueError('above') from e");
        PyException e = (PyException) thrownBy("wrapping()");
        assertEquals("ValueError", e.pythonType());
        assertSame(exception, e.getCause());
    }

    @Test
    void aPythonExceptionIsItselfAgainBehindJava() {
        python.exec("original = ValueError('original')\ndef fail():\n    raise original");
        String function = registered(arguments -> python.call("__main__", "fail"));
        assertTrue(python.eval("caught(" + function + ") is original", boolean.class));
        String waiting = registered(arguments -> CompletableFuture.supplyAsync(() -> python.call("__main__", "fail"))
                .join());
        assertTrue(python.eval("caught(" + waiting + ") is original", boolean.class));
        String wrapping = registered(arguments -> {
            try {
                return python.call("__main__", "fail");
            } catch (PyException e) {
                throw new IllegalStateException("wrapped", e);
            }
        });
        assertTrue(python.eval("caught(" + wrapping + ").__cause__ is original", boolean.class));
        // And the traceback shows the way.
        PyException e = (PyException) thrownBy(function + "()");
        assertEquals("__main__", e.pythonStackTrace()[0].getClassName());
        assertEquals("fail", e.pythonStackTrace()[0].getMethodName());
    }

    @Test
    void aPyExceptionWhoseObjectWasClosedIsAJavaError() {
        String function = registered(arguments -> {
            PyException e = assertThrows(PyException.class, () -> python.exec("raise KeyError('gone')"));
            e.exceptionOrNull().close();
            throw e;
        });
        assertEquals("dev.jvloop.PyException", python.eval("caught(" + function + ").java_class", String.class));
    }

    @Test
    void cancellationIsCancellation() {
        CancellationException cancelled = new CancellationException("enough");
        String function = throwing(cancelled);
        python.exec("error = caught(" + function + ")");
        assertTrue(python.eval("type(error) is asyncio.CancelledError", boolean.class));
        assertEquals("enough", python.eval("error.__cause__.message", String.class));
        assertSame(cancelled, thrownBy(function + "()"));
        // The other way.
        python.exec("original = asyncio.CancelledError('python')\ndef cancelled():\n    raise original");
        CancellationException e = assertInstanceOf(CancellationException.class, thrownBy("cancelled()"));
        assertInstanceOf(PyException.class, e.getCause());
        String through = registered(arguments -> python.call("__main__", "cancelled"));
        assertTrue(python.eval("caught(" + through + ") is original", boolean.class));
    }

    @Test
    void exhaustionOfTheBodyIsAnExceptionLikeAnyOther() {
        assertInstanceOf(StackOverflowError.class, thrownBy(registered(arguments -> deeper(0)) + "()"));
        String hungry = registered(arguments -> new long[Integer.MAX_VALUE]);
        assertInstanceOf(OutOfMemoryError.class, thrownBy(hungry + "()"));
        python.exec("error = caught(" + hungry + ")");
        assertEquals("java.lang.OutOfMemoryError", python.eval("error.java_class", String.class));
        assertEquals(7, python.eval("7", int.class));
    }

    private static int deeper(int depth) {
        return depth < 0 ? depth : deeper(depth + 1) + 1;
    }

    @Test
    void interruptsOfAJavaBodyAreItsOwn() throws Exception {
        String function = registered(arguments -> {
            Thread.currentThread().interrupt();
            new java.util.concurrent.CountDownLatch(1).await();
            return null;
        });
        PyException e = (PyException) thrownBy(function + "()");
        assertInstanceOf(InterruptedException.class, e.getCause());
    }

    @Test
    void errorsDoNotKeepWhatTheyShow() {
        String function = throwing(new IllegalStateException("dropped"));
        python.exec("import gc, sys\nfor _ in range(3):\n    caught(" + function + ")\ngc.collect()");
        python.exec(
                "def references():\n    gc.collect()\n    return sum(type(o) is JavaError for o in gc.get_objects())");
        int before = python.call("__main__", "references").as(int.class);
        python.exec("for _ in range(100):\n    caught(" + function + ")");
        // Those of other tests may go meanwhile.
        assertTrue(python.call("__main__", "references").as(int.class) <= before);
        try (PyObject error = python.eval("caught(" + function + ")")) {
            assertTrue(error.attribute("java_class").as(String.class).contains("IllegalState"));
        }
    }
}
