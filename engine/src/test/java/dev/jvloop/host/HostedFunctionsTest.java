package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.JavaFunction;
import dev.jvloop.Keywords;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Java functions that Python calls. */
class HostedFunctionsTest {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static Python python;
    private static PythonLoop loop;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        loop = python.loop();
        python.exec("import asyncio, threading, sys; import jvloop.host");
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
        }
    }

    /** A new function; its name, as an expression. */
    private static String registered(JavaFunction function) {
        String name = "function" + NUMBER.incrementAndGet();
        python.functions().register(name, function);
        return "jvloop.host." + name;
    }

    private static <T> T within(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    @Test
    void aFunctionIsImportedByItsName() {
        python.functions().register("join", arguments -> arguments[0] + "-" + arguments[1]);
        python.exec("from jvloop.host import join\nassert join('a', 5) == 'a-5'");
        assertEquals("join", python.eval("join.__name__", String.class));
        assertEquals("<java function join>", python.eval("repr(join)", String.class));
        assertEquals("(*args, **kwargs)", python.eval("str(__import__('inspect').signature(join))", String.class));
        assertTrue(python.eval("callable(join) and 'join' in dir(jvloop.host)", boolean.class));
        assertTrue(python.eval("__import__('pickle').loads(__import__('pickle').dumps(join)) is join", boolean.class));
    }

    @Test
    void argumentsAndResultsAreTheNaturalValues() {
        List<Object[]> seen = new ArrayList<>();
        String function = registered(arguments -> {
            seen.add(arguments);
            return Map.of("n", arguments.length);
        });
        assertEquals(Map.of("n", 5L), python.eval(function + "(1, 2.5, None, [True], {'k': b'x'})", Object.class));
        Object[] arguments = seen.getFirst();
        assertEquals(1L, arguments[0]);
        assertEquals(2.5, arguments[1]);
        assertEquals(null, arguments[2]);
        assertEquals(List.of(true), arguments[3]);
        assertArrayEquals(new byte[] {'x'}, (byte[]) ((Map<?, ?>) arguments[4]).get("k"));
    }

    @Test
    void keywordsAreTheLastArgument() {
        String function =
                registered(arguments -> arguments.length + " " + ((Keywords) arguments[arguments.length - 1]).asMap());
        assertEquals("2 {unit=s, limit=3}", python.eval(function + "('x', unit='s', limit=3)", String.class));
        assertEquals("1 {unit=s}", python.eval(function + "(**{'unit': 's'})", String.class));
    }

    @Test
    void objectsWithoutACounterpartAreHandles() {
        String function = registered(arguments -> {
            try (PyObject callback = (PyObject) arguments[0]) {
                return callback.call(20).as(int.class) + 1;
            }
        });
        assertEquals(42, python.eval(function + "(lambda x: x * 2 + 1)", int.class));
    }

    @Test
    void namesThatPythonCannotImportAreRefused() {
        for (String name : List.of("", "a b", "class", "_hidden", "JavaError", "wrap", "a.b", "1st")) {
            assertThrows(
                    IllegalArgumentException.class, () -> python.functions().register(name, arguments -> null), name);
        }
        python.functions().register("naïve", arguments -> 1);
        assertEquals(1, python.eval("jvloop.host.naïve()", int.class));
    }

    @Test
    void aNameIsGivenOnceUntilItIsRemoved() {
        python.functions().register("once", arguments -> 1);
        assertThrows(IllegalStateException.class, () -> python.functions().register("once", arguments -> 2));
        python.exec("from jvloop.host import once");
        assertTrue(python.functions().remove("once"));
        assertFalse(python.functions().remove("once"));
        assertEquals(1, python.eval("once()", int.class));
        python.functions().register("once", arguments -> 2);
        assertEquals(2, python.eval("jvloop.host.once()", int.class));
    }

    @Test
    void missingNamesSayWhatThereIs() {
        python.functions().register("present", arguments -> null);
        PyException imported =
                assertThrows(PyException.class, () -> python.exec("from jvloop.host import present, absent"));
        assertEquals("ImportError", imported.pythonType());
        assertTrue(
                imported.pythonMessage().startsWith("Java has registered no function 'absent': it has")
                        && imported.pythonMessage().contains("present"),
                imported::pythonMessage);
        PyException looked = assertThrows(PyException.class, () -> python.eval("jvloop.host.absent"));
        assertEquals("AttributeError", looked.pythonType());
        assertEquals(imported.pythonMessage(), looked.pythonMessage());
        assertFalse(python.eval("hasattr(jvloop.host, 'absent')", boolean.class));
    }

    @Test
    void theGilIsReleasedWhileJavaRuns() throws Exception {
        CompletableFuture<String> answer = new CompletableFuture<>();
        String function = registered(arguments -> answer.get(60, TimeUnit.SECONDS));
        CompletableFuture<String> call =
                CompletableFuture.supplyAsync(() -> python.eval(function + "()", String.class));
        python.functions().register("give_answer", arguments -> answer.complete((String) arguments[0]));
        // Another thread is in Python, while the first one waits in Java.
        assertTrue(python.eval("jvloop.host.give_answer('from Python')", boolean.class));
        assertEquals("from Python", within(call));
    }

    // ---- Java calls Python calls Java calls Python

    private static String nesting() {
        String name = "nest" + NUMBER.incrementAndGet();
        python.exec("def " + name + "(n):\n    return 0 if n == 0 else jvloop.host." + name + "(n - 1) + 1");
        python.functions()
                .register(
                        name,
                        arguments -> python.call("__main__", name, arguments[0]).as(int.class));
        return name;
    }

    @Test
    void callsNestOnEveryKindOfThread() throws Exception {
        String name = nesting();
        int depth = 20;
        assertEquals(depth, python.call("__main__", name, depth).as(int.class));
        CompletableFuture<Integer> virtual = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() ->
                        virtual.complete(python.call("__main__", name, depth).as(int.class)));
        assertEquals(depth, within(virtual));
        assertEquals(depth, within(loop.submit(int.class, "__main__", name, depth)));
        python.exec("""
                results = []
                thread = threading.Thread(target=lambda: results.append(%s(20)))
                thread.start()
                thread.join()
                """.formatted(name));
        assertEquals(List.of((long) depth), python.eval("results", Object.class));
    }

    @Test
    void aFunctionMayWaitForALoop() throws Exception {
        python.exec("async def double(x):\n    await asyncio.sleep(0.001)\n    return 2 * x");
        String function = registered(arguments ->
                loop.submit(int.class, "__main__", "double", arguments[0]).join());
        assertEquals(42, python.eval(function + "(21)", int.class));
        // In a thread of Python's executor, of a coroutine on that loop.
        python.exec("async def in_thread():\n    return await asyncio.to_thread(" + function + ", 4)");
        assertEquals(8, within(loop.submit(int.class, "__main__", "in_thread")));
        // On the loop's own thread it would wait for ever.
        CompletableFuture<Integer> onLoop = loop.submit(int.class, python.eval("lambda: " + function + "(1)"));
        Throwable cause = assertThrows(java.util.concurrent.ExecutionException.class, () -> within(onLoop))
                .getCause();
        assertEquals(IllegalStateException.class, cause.getClass());
        assertTrue(cause.getMessage().contains("would wait for ever"), cause::getMessage);
    }

    @Test
    void manyThreadsCallAtOnce() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        String function = registered(arguments -> calls.incrementAndGet());
        python.exec("def many():\n    for _ in range(1000):\n        " + function + "()");
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            CompletableFuture<Void> done = new CompletableFuture<>();
            Thread.Builder builder = i % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
            builder.start(() -> {
                try {
                    python.call("__main__", "many");
                    done.complete(null);
                } catch (Throwable t) {
                    done.completeExceptionally(t);
                }
            });
            all.add(done);
        }
        within(CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)));
        assertEquals(4000, calls.get());
    }

    @Test
    void endlessNestingIsAnError() throws Exception {
        python.exec("def endless():\n    return jvloop.host.endless()");
        python.functions().register("endless", arguments -> python.call("__main__", "endless"));
        for (int i = 0; i < 3; i++) {
            PyException e = assertThrows(PyException.class, () -> python.call("__main__", "endless"));
            assertEquals("RecursionError", e.pythonType());
            assertTrue(e.pythonMessage().startsWith("Java and Python have called each other"), e::pythonMessage);
        }
        assertEquals(40, python.call("__main__", nesting(), 40).as(int.class));
    }

    // ---- Java objects without a counterpart

    @Test
    void aWrappedObjectComesBackAsItself() {
        AtomicInteger object = new AtomicInteger(3);
        try (PyObject wrapped = python.wrap(object)) {
            assertSame(object, wrapped.as(Object.class));
            assertSame(object, wrapped.as(AtomicInteger.class));
            assertEquals("<java object of java.util.concurrent.atomic.AtomicInteger>", wrapped.repr());
            assertThrows(ClassCastException.class, () -> wrapped.as(Thread.class));
            String function =
                    registered(arguments -> ((AtomicInteger) arguments[0]).addAndGet(((Long) arguments[1]).intValue()));
            assertEquals(
                    5,
                    python.eval("lambda o: " + function + "(o, 2)")
                            .call(wrapped)
                            .as(int.class));
        }
        assertEquals(5, object.get());
    }

    @Test
    void whatHasNoCounterpartSaysSo() {
        String function = registered(arguments -> new Thread());
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> python.eval(function + "()"));
        assertTrue(e.getMessage().contains("java.lang.Thread has no counterpart"), e::getMessage);
    }

    @Test
    void aForkedChildGetsAnError() {
        registered(arguments -> 1);
        python.functions().register("forked", arguments -> 1);
        python.exec("""
                import os, warnings
                warnings.simplefilter('ignore', DeprecationWarning)
                reading, writing = os.pipe()
                pid = os.fork()
                if pid == 0:
                    try:
                        try:
                            jvloop.host.forked()
                        except RuntimeError as e:
                            os.write(writing, str(e).encode())
                    finally:
                        os._exit(0)
                os.close(writing)
                said = os.read(reading, 1000).decode()
                os.close(reading)
                os.waitpid(pid, 0)
                """);
        assertTrue(python.eval("said", String.class).contains("the JVM does not survive a fork"));
    }
}
