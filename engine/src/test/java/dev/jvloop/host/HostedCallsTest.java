package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.Keywords;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Statements, expressions, calls and handles, from a Java program's thread. */
class HostedCallsTest {
    private static Python python;

    @BeforeAll
    static void start() {
        InterpreterProbe probe = Pythons.probedOrAbort();
        python = Python.configure()
                .interpreter(probe.executable())
                .arguments("-c", "--not-pythons")
                .environment("JVLOOP_TEST_VARIABLE", "grün")
                .searchPath(probe.executable().getParent())
                .start();
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
        }
    }

    private static String text(String expression) {
        return python.eval(expression, String.class);
    }

    @Test
    void theInterpreterIsTheOneThatWasAskedFor() {
        InterpreterProbe probe = Pythons.probedOrAbort();
        assertEquals(probe.version(), python.version());
        assertEquals(probe.version(), text("'%d.%d.%d' % __import__('sys').version_info[:3]"));
        assertEquals(probe.executable().toString(), text("__import__('sys').executable"));
    }

    @Test
    void argumentsEnvironmentAndSearchPathArrive() {
        assertArrayEquals(
                new String[] {"", "-c", "--not-pythons"}, python.eval("__import__('sys').argv", String[].class));
        assertEquals("grün", text("__import__('os').environ['JVLOOP_TEST_VARIABLE']"));
        Object folder = Pythons.probedOrAbort().executable().getParent().toString();
        assertEquals(folder, text("__import__('sys').path[0]"));
    }

    @Test
    void javaKeepsItsSignals() {
        // None: a handler that Python did not install.
        assertTrue(python.eval("__import__('signal').getsignal(2) is None", boolean.class));
    }

    @Test
    void statementsAndExpressionsShareTheMainModule() {
        python.exec("""
            def double(x):
                return 2 * x
            """);
        assertEquals(42, python.eval("double(21)", int.class));
        try (PyObject main = python.importModule("__main__");
                PyObject doubled = main.callMethod("double", "ab")) {
            assertEquals("abab", doubled.as(String.class));
        }
    }

    @Test
    void aFunctionIsCalledByItsName() {
        assertEquals(6, python.call("math", "gcd", 12, 18).as(int.class));
        python.exec("import io; out = io.StringIO()");
        try (PyObject out = python.eval("out")) {
            Keywords keywords = Keywords.of("sep", "-").and("end", "").and("file", out);
            python.call("builtins", "print", 1, "b", null, keywords);
        }
        assertEquals("1-b-None", text("out.getvalue()"));
        assertThrows(PyException.class, () -> python.call("math", "no_such_function"));
        assertThrows(PyException.class, () -> python.call("no_such_module", "f"));
    }

    @Test
    void aMapIsAnArgumentAndKeywordsAreNone() {
        assertEquals("{\"a\": 1}", python.call("json", "dumps", Map.of("a", 1)).as(String.class));
        try (PyObject dict = python.eval("{}")) {
            dict.callMethod("update", Map.of("x", 1), Keywords.of(Map.of("y", 2)));
            assertEquals("{'x': 1, 'y': 2}", dict.repr());
        }
        PyException e =
                assertThrows(PyException.class, () -> python.call("math", "sqrt", Keywords.of("no_such_name", 1)));
        assertEquals("TypeError", e.pythonType());
    }

    @Test
    void aResultIsConvertedWithoutAHandle() {
        assertEquals(6, python.callAs(int.class, "math", "gcd", 12, 18));
        assertThrows(PyException.class, () -> python.callAs(int.class, "math", "no_such_function"));
        assertThrows(ClassCastException.class, () -> python.callAs(String.class, "math", "gcd", 12, 18));
        try (PyObject text = python.eval("'a b'");
                PyObject upper = text.attribute("upper");
                PyObject numbers = python.toPython(List.of(1, 2))) {
            assertEquals("A B", upper.callAs(String.class));
            assertEquals(List.of("a", "b"), text.callMethodAs(List.class, "split", " "));
            assertEquals("str", text.attribute("__class__").attribute("__name__", String.class));
            assertEquals(2L, numbers.item(-1, Object.class));
            assertEquals(
                    "IndexError",
                    assertThrows(PyException.class, () -> numbers.item(2, int.class))
                            .pythonType());
            try (PyObject same = upper.callAs(PyObject.class)) {
                assertEquals("'A B'", same.repr());
            }
        }
    }

    @Test
    void anyTextIsAName() {
        python.exec("class Space: pass\nspace = Space()");
        try (PyObject space = python.eval("space")) {
            for (String name : List.of("plain", "größe", "\ud800", "?", "a\0b", "")) {
                space.setAttribute(name, name.length());
                assertEquals(name.length(), space.attribute(name, int.class));
            }
            assertEquals(6, python.eval("len(vars(space))", int.class));
            // More than are kept.
            for (int i = 0; i < 5000; i++) {
                space.setAttribute("name" + i, i);
            }
            assertEquals(4999, space.attribute("name4999", int.class));
        }
    }

    @Test
    void attributesAndItemsAreReadAndWritten() {
        try (PyObject space = python.call("types", "SimpleNamespace", Keywords.of("a", 1))) {
            space.setAttribute("b", List.of("x"));
            assertEquals(1, space.attribute("a").as(int.class));
            assertEquals("x", space.attribute("b").item(0).as(String.class));
            assertEquals("namespace(a=1, b=['x'])", space.repr());
            assertEquals("types.SimpleNamespace", space.typeName());
            PyException e = assertThrows(PyException.class, () -> space.attribute("c"));
            assertEquals("AttributeError", e.pythonType());
        }
        try (PyObject dict = python.toPython(Map.of("k", 1))) {
            dict.setItem("k", 2);
            assertEquals(2, dict.item("k").as(int.class));
            assertEquals(1, dict.length());
            assertTrue(dict.isTrue());
            assertFalse(dict.isNone());
            assertEquals(
                    "KeyError",
                    assertThrows(PyException.class, () -> dict.item("missing")).pythonType());
        }
    }

    @Test
    void anIterableIsIteratedOver() {
        List<Integer> squares = new ArrayList<>();
        for (PyObject square : python.eval("(n * n for n in range(4))")) {
            squares.add(square.as(int.class));
        }
        assertEquals(List.of(0, 1, 4, 9), squares);
        var failing = python.eval("(1 // n for n in (1, 0))").iterator();
        assertTrue(failing.hasNext());
        failing.next();
        assertEquals(
                "ZeroDivisionError",
                assertThrows(PyException.class, failing::next).pythonType());
        assertEquals(
                "TypeError",
                assertThrows(PyException.class, () -> python.eval("1").iterator())
                        .pythonType());
    }

    @Test
    void closingAHandleReleasesItsObject() {
        python.exec("""
            import weakref
            class Thing: pass
            things = weakref.WeakSet()
            def make():
                thing = Thing()
                things.add(thing)
                return thing
            """);
        PyObject thing = python.eval("make()");
        assertEquals(1, python.eval("len(things)", int.class));
        thing.close();
        thing.close();
        assertEquals(0, python.eval("len(things)", int.class));
        IllegalStateException e = assertThrows(IllegalStateException.class, thing::str);
        assertTrue(e.getMessage().contains("closed"), e::getMessage);
        assertEquals("a closed PyObject", thing.toString());
        assertThrows(IllegalStateException.class, () -> python.call("builtins", "repr", thing));
    }

    @Test
    void aCollectedHandleReleasesItsObject() {
        python.exec("import weakref\nclass Left: pass\nleft = weakref.WeakSet()");
        python.exec("def leave():\n    one = Left()\n    left.add(one)\n    return one");
        python.eval("leave()");
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (python.eval("len(left)", int.class) > 0) {
            assertTrue(System.nanoTime() < deadline, "the object lives on");
            System.gc();
        }
    }

    @Test
    void extensionModulesFindPythonsFunctions() {
        assertEquals("0.3", python.eval("str(__import__('decimal').Decimal('0.1') * 3)", String.class));
        python.exec("import _decimal, _json, _struct, unicodedata, array, zlib");
        assertEquals(3, python.eval("__import__('array').array('i', [1, 2])[1] + 1", int.class));
        boolean hasNumpy =
                python.eval("__import__('importlib.util').util.find_spec('numpy') is not None", boolean.class);
        if (hasNumpy) {
            assertEquals(10.0, python.eval("float(__import__('numpy').arange(5).sum())", double.class));
        }
    }

    @Test
    void theLoopRunsOnTheEngineOfTheProgram() {
        python.exec("""
            import asyncio, jvloop
            from jvloop._jvm import engine_info
            async def echo(reader, writer):
                writer.write(await reader.readline())
                writer.close()
            async def main():
                server = await asyncio.start_server(echo, "127.0.0.1", 0)
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                writer.write(b"hello\\n")
                answer = await reader.read()
                writer.close()
                server.close()
                await server.wait_closed()
                return answer
            """);
        assertArrayEquals(
                "hello\n".getBytes(StandardCharsets.US_ASCII), python.eval("jvloop.run(main())", byte[].class));
        assertTrue(python.eval("engine_info().attached", boolean.class));
        assertEquals("the Java program that started Python", text("engine_info().found_by"));
    }

    @Test
    void aProcessHasOnePython() {
        IllegalStateException e = assertThrows(
                IllegalStateException.class, () -> Python.configure().start());
        assertTrue(e.getMessage().contains("only one"), e::getMessage);
    }
}
