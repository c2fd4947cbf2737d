package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.jvloop.PyBuffer;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Java's memory in the hands of Python. */
class HostedMemoryTest {
    private static final int MEGABYTE = 1 << 20;

    private static Python python;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("""
            import ctypes
            kept = None
            def keep(view):
                global kept
                kept = view
            def address(view):
                return ctypes.addressof(ctypes.c_char.from_buffer(view))
            def fail(view):
                raise ValueError
            """);
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
        }
    }

    private static void keep(Object memory) {
        python.call("__main__", "keep", memory).close();
    }

    private static long address(Object memory) {
        return python.call("__main__", "address", memory).as(long.class);
    }

    private static String pythonTypeOf(Object memory) {
        try (PyObject object = python.toPython(memory)) {
            return object.typeName();
        }
    }

    @Test
    void aMegabyteIsNotCopied() {
        MemorySegment segment = Arena.ofAuto().allocate(MEGABYTE);
        assertEquals(segment.address(), address(segment));
        try (PyObject view = python.toPython(segment)) {
            assertEquals("memoryview", view.typeName());
            assertEquals(MEGABYTE, view.length());
            segment.set(ValueLayout.JAVA_BYTE, 3, (byte) 7);
            assertEquals(7, view.item(3).as(int.class));
            view.setItem(-1, 9);
            assertEquals(9, segment.get(ValueLayout.JAVA_BYTE, MEGABYTE - 1));
        }
    }

    @Test
    void directBuffersAreTheirRemainingPart() {
        ByteBuffer direct = ByteBuffer.allocateDirect(8);
        direct.put("abcdefgh".getBytes(StandardCharsets.US_ASCII)).position(2).limit(5);
        assertEquals(MemorySegment.ofBuffer(direct).address(), address(direct));
        try (PyObject view = python.toPython(direct)) {
            assertEquals("b'cde'", view.callMethod("tobytes").repr());
            view.setItem(0, (int) 'x');
            assertEquals('x', direct.get(2));
        }
        assertEquals(2, direct.position());
    }

    @Test
    void memoryOfAFileIsMemory(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("text"), "content");
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 7);
            try (PyObject view = python.toPython(mapped)) {
                assertEquals("b'content'", view.callMethod("tobytes").repr());
            }
        }
    }

    @Test
    void readOnlyMemoryIsReadOnly() {
        MemorySegment segment = Arena.global().allocate(4).asReadOnly();
        try (PyObject view = python.toPython(segment)) {
            assertTrue(view.attribute("readonly").as(boolean.class));
            PyException e = assertThrows(PyException.class, () -> view.setItem(0, 1));
            assertEquals("TypeError", e.pythonType());
            try (PyObject owner = view.attribute("obj")) {
                assertThrows(PyException.class, () -> python.call("struct", "pack_into", "B", owner, 0, 1));
                assertEquals(
                        0,
                        python.call("builtins", "sum", owner.as(byte[].class)).as(int.class));
            }
        }
    }

    @Test
    void memoryOnJavasHeapIsCopied() {
        assertEquals("bytes", pythonTypeOf(ByteBuffer.allocate(3)));
        assertEquals("bytes", pythonTypeOf(MemorySegment.ofArray(new int[2])));
        ByteBuffer part = ByteBuffer.wrap("abcdef".getBytes(StandardCharsets.US_ASCII), 1, 2);
        try (PyObject bytes = python.toPython(part.asReadOnlyBuffer())) {
            assertEquals("b'bc'", bytes.repr());
        }
    }

    @Test
    void memoryThatCouldEndUnderAViewIsRefused() {
        try (Arena confined = Arena.ofConfined();
                Arena shared = Arena.ofShared();
                PyBuffer buffer = python.eval("bytearray(4)").buffer()) {
            for (Object memory : List.of(
                    confined.allocate(4),
                    shared.allocate(4),
                    shared.allocate(4).asByteBuffer(),
                    buffer.segment(),
                    buffer.byteBuffer())) {
                IllegalArgumentException e =
                        assertThrows(IllegalArgumentException.class, () -> python.toPython(memory));
                assertTrue(e.getMessage().contains("Python.arena()"), e::getMessage);
            }
        }
    }

    @Test
    void pythonKeepsAutomaticMemory() {
        MemorySegment segment = Arena.ofAuto().allocate(MEGABYTE);
        segment.fill((byte) 5);
        WeakReference<Object> scope = new WeakReference<>(segment.scope());
        keep(segment);
        segment = null;
        for (int i = 0; i < 5; i++) {
            System.gc();
        }
        assertEquals(5L * MEGABYTE, python.eval("sum(kept)", long.class));
        python.exec("kept = kept[1:]");
        System.gc();
        assertEquals(5, python.eval("kept[-1]", int.class));
        python.exec("kept = None");
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (scope.get() != null) {
            assertTrue(System.nanoTime() < deadline, "the memory is kept");
            System.gc();
        }
    }

    @Test
    void closingAnArenaTakesItsViewsBack() {
        MemorySegment segment;
        try (Arena arena = python.arena()) {
            segment = arena.allocate(16);
            keep(segment);
            python.exec("kept[0] = 1");
            assertEquals(1, segment.get(ValueLayout.JAVA_BYTE, 0));
            // The variables of frames that failed have it too.
            PyException e = assertThrows(PyException.class, () -> python.call("__main__", "fail", arena.allocate(8)));
            assertEquals("ValueError", e.pythonType());
        }
        assertEquals(
                "ValueError",
                assertThrows(PyException.class, () -> python.eval("kept[0]")).pythonType());
        assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_BYTE, 0));
        assertThrows(IllegalStateException.class, () -> python.toPython(segment));
    }

    @Test
    void anArenaIsNotClosedWhileSomethingMadeOfAViewIsLeft() {
        Arena arena = python.arena();
        MemorySegment segment = arena.allocate(16);
        segment.fill((byte) 3);
        keep(segment);
        python.exec("part = kept[4:8]; other = memoryview(kept.obj); owner = kept.obj; kept = None");
        for (String left : List.of("part", "other")) {
            IllegalStateException e = assertThrows(IllegalStateException.class, arena::close);
            assertTrue(e.getMessage().contains("slice"), e::getMessage);
            assertEquals(3, python.eval(left + "[0]", int.class));
            assertEquals(3, segment.get(ValueLayout.JAVA_BYTE, 0));
            python.exec("del " + left);
        }
        arena.close();
        assertThrows(IllegalStateException.class, arena::close);
        PyException e = assertThrows(PyException.class, () -> python.eval("memoryview(owner)"));
        assertEquals("BufferError", e.pythonType());
    }

    @Test
    void anArenaIsNotClosedWhileAFunctionOfCHasItsMemory() throws Throwable {
        Arena arena = python.arena();
        MemorySegment segment = arena.allocateFrom("memory").asSlice(0, 6);
        CSort.sort(segment, () -> assertThrows(IllegalStateException.class, arena::close));
        try (PyObject view = python.toPython(segment)) {
            assertEquals("b'emmory'", view.callMethod("tobytes").repr());
        }
        arena.close();
        assertThrows(IllegalStateException.class, () -> python.toPython(segment));
    }

    @Test
    void numpyUsesJavasMemory() {
        assumeTrue(
                python.eval("__import__('importlib.util').util.find_spec('numpy') is not None", boolean.class),
                "numpy is not installed");
        Arena arena = python.arena();
        MemorySegment doubles = arena.allocateFrom(ValueLayout.JAVA_DOUBLE, 0.5, 1.5, 2.5);
        python.exec("import numpy");
        try (PyObject array = python.call("numpy", "frombuffer", doubles)) {
            assertEquals(4.5, array.callMethod("sum").as(double.class));
            array.setItem(0, 1.0);
            assertEquals(1.0, doubles.get(ValueLayout.JAVA_DOUBLE, 0));
            assertThrows(IllegalStateException.class, arena::close);
        }
        arena.close();
    }

    @Test
    void viewsAreForgottenWithThemselves() {
        try (Arena arena = python.arena()) {
            MemorySegment segment = arena.allocate(8);
            for (int i = 0; i < 100; i++) {
                python.call("builtins", "len", segment).close();
            }
            keep(segment);
            try (PyObject views =
                    python.eval("[d for d in __import__('gc').get_objects() if type(d) is dict and len(d) == 1"
                            + " and any(hasattr(r, '__callback__') and r() is kept for r in d.values())]")) {
                assertEquals(1, views.length());
            }
        }
    }

    @Test
    void arenasAreClosedWhileOthersUseThem() throws Exception {
        python.exec("""
            def use(view):
                global kept
                part = view[1:]
                total = sum(part)
                kept = view
                return total
            """);
        try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
            List<Future<?>> done = new ArrayList<>();
            for (int thread = 0; thread < 8; thread++) {
                done.add(executor.submit(() -> {
                    for (int i = 0; i < 100; i++) {
                        try (Arena arena = python.arena()) {
                            MemorySegment segment = arena.allocate(100);
                            segment.fill((byte) 2);
                            assertEquals(
                                    198, python.call("__main__", "use", segment).as(int.class));
                        }
                    }
                }));
            }
            for (Future<?> each : done) {
                each.get(60, TimeUnit.SECONDS);
            }
        }
        assertThrows(PyException.class, () -> python.eval("kept[0]"));
    }

    @Test
    void aForkedChildHasTheViewsItHad() {
        python.exec("""
            import os, warnings
            def status_of_child():
                global kept
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    child = os.fork()
                if child == 0:
                    status = 1
                    try:
                        part = kept[1:]
                        owner = kept.obj
                        kept = None
                        good = part[0] == 6
                        del part
                        memoryview(owner)
                    except TypeError:
                        status = 0 if good else 2
                    finally:
                        os._exit(status)
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            """);
        MemorySegment segment = Arena.ofAuto().allocate(4);
        segment.fill((byte) 6);
        keep(segment);
        assertEquals(0, python.eval("status_of_child()", int.class));
        // Here nothing changed.
        assertEquals(6, python.eval("memoryview(kept.obj)[0]", int.class));
    }
}
