package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.jvloop.PyBuffer;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The memory of Python's objects in Java's hands. */
class HostedBuffersTest {
    private static final int MEGABYTE = 1 << 20;

    private static Python python;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("import array, ctypes");
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
        }
    }

    /** The expression's value, as a buffer; nothing but the buffer keeps the object. */
    private static PyBuffer buffer(String expression) {
        try (PyObject object = python.eval(expression)) {
            return object.buffer();
        }
    }

    private static String errorOf(String expression) {
        return assertThrows(PyException.class, () -> buffer(expression)).pythonType();
    }

    /** Whether a bytearray can be resized, which Python refuses while somebody has its memory. */
    private static boolean isFree(String name) {
        try {
            python.exec(name + ".append(0); " + name + ".pop()");
            return true;
        } catch (PyException e) {
            assertEquals("BufferError", e.pythonType());
            return false;
        }
    }

    @Test
    void aMegabyteOfBytesIsNotCopied() {
        python.exec("text = bytes(range(256)) * 4096");
        try (PyBuffer buffer = buffer("text")) {
            MemorySegment segment = buffer.segment();
            assertEquals(MEGABYTE, segment.byteSize());
            assertEquals(
                    python.eval("ctypes.cast(text, ctypes.c_void_p).value", long.class)
                            .longValue(),
                    segment.address());
            assertEquals((byte) 255, segment.get(ValueLayout.JAVA_BYTE, 255));
            assertTrue(buffer.isReadOnly() && segment.isReadOnly());
            assertThrows(IllegalArgumentException.class, () -> segment.set(ValueLayout.JAVA_BYTE, 0, (byte) 1));
            assertThrows(
                    ReadOnlyBufferException.class, () -> buffer.byteBuffer().put(0, (byte) 1));
        }
    }

    @Test
    void whatOneSideWritesTheOtherReads() {
        python.exec("shared = bytearray(" + MEGABYTE + ")");
        try (PyBuffer buffer = buffer("shared")) {
            assertFalse(buffer.isReadOnly());
            buffer.segment().set(ValueLayout.JAVA_BYTE, MEGABYTE - 1, (byte) 7);
            assertEquals(7, python.eval("shared[-1]", int.class));
            python.exec("shared[0] = 9");
            assertEquals(9, buffer.byteBuffer().get(0));
            assertEquals(
                    python.eval("ctypes.addressof(ctypes.c_char.from_buffer(shared))", long.class)
                            .longValue(),
                    buffer.segment().address());
        }
    }

    @Test
    void itemsAreDescribed() {
        try (PyBuffer buffer = buffer("array.array('d', [0.5, 1.5])")) {
            assertEquals("d", buffer.format());
            assertEquals(8, buffer.itemSize());
            assertArrayEquals(new long[] {2}, buffer.shape());
            assertArrayEquals(new double[] {0.5, 1.5}, buffer.segment().toArray(ValueLayout.JAVA_DOUBLE));
            assertEquals(1.5, buffer.byteBuffer().asDoubleBuffer().get(1));
        }
        try (PyBuffer buffer = buffer("memoryview(bytes(24)).cast('i', (2, 3))")) {
            assertEquals("i", buffer.format());
            assertArrayEquals(new long[] {2, 3}, buffer.shape());
            assertEquals(24, buffer.segment().byteSize());
        }
        try (PyBuffer buffer = buffer("ctypes.c_short(5)")) {
            assertArrayEquals(new long[0], buffer.shape());
            assertEquals(5, buffer.segment().get(ValueLayout.JAVA_SHORT, 0));
        }
        try (PyBuffer buffer = buffer("b''")) {
            assertEquals(0, buffer.segment().byteSize());
            assertEquals(0, buffer.byteBuffer().remaining());
        }
    }

    @Test
    void numpysArraysAreBuffers() {
        assumeTrue(
                python.eval("__import__('importlib.util').util.find_spec('numpy') is not None", boolean.class),
                "numpy is not installed");
        python.exec("import numpy\nmatrix = numpy.arange(6, dtype='float64').reshape(2, 3)");
        try (PyBuffer buffer = buffer("matrix")) {
            assertEquals("d", buffer.format());
            assertArrayEquals(new long[] {2, 3}, buffer.shape());
            buffer.segment().setAtIndex(ValueLayout.JAVA_DOUBLE, 5, 0.25);
            assertEquals(0.25, python.eval("matrix[1, 2]", double.class));
        }
        assertEquals("ValueError", errorOf("matrix.T"));
    }

    @Test
    void whatHasNoSuchMemoryIsAnError() {
        assertEquals("TypeError", errorOf("5"));
        assertEquals("TypeError", errorOf("'text'"));
        assertEquals("BufferError", errorOf("memoryview(b'abcdef')[::2]"));
    }

    @Test
    void theMemoryStaysWhereItIsUntilItIsClosed() {
        python.exec("kept = bytearray(b'kept')");
        PyBuffer buffer = buffer("kept");
        assertFalse(isFree("kept"));
        buffer.close();
        assertTrue(isFree("kept"));
        buffer.close();
    }

    @Test
    void nothingReachesTheMemoryAfterItsEnd() {
        python.exec("gone = bytearray(b'gone')");
        PyBuffer buffer = buffer("gone");
        MemorySegment segment = buffer.segment();
        MemorySegment slice = segment.asSlice(1, 2);
        ByteBuffer bytes = buffer.byteBuffer();
        buffer.close();
        assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_BYTE, 0));
        assertThrows(IllegalStateException.class, () -> slice.get(ValueLayout.JAVA_BYTE, 0));
        assertThrows(IllegalStateException.class, () -> bytes.get(0));
        assertThrows(IllegalStateException.class, () -> buffer.byteBuffer().get(0));
    }

    @Test
    void whatAFunctionOfCHasIsNotClosed() throws Throwable {
        python.exec("sorted = bytearray(b'memory')");
        List<IllegalStateException> refused = new ArrayList<>();
        try (PyBuffer buffer = buffer("sorted")) {
            CSort.sort(buffer.segment(), () -> refused.add(assertThrows(IllegalStateException.class, buffer::close)));
            assertEquals('e', buffer.segment().get(ValueLayout.JAVA_BYTE, 0));
        }
        assertFalse(refused.isEmpty());
        assertEquals("emmory", python.eval("sorted.decode()", String.class));
        assertTrue(isFree("sorted"));
    }

    private static void awaitFree(String name) {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!isFree(name)) {
            assertTrue(System.nanoTime() < deadline, "the memory is kept");
            System.gc();
        }
    }

    @Test
    void aForgottenBufferIsGivenBack() {
        python.exec("forgotten = bytearray(9)");
        buffer("forgotten");
        awaitFree("forgotten");
    }

    @Test
    void aSegmentKeepsTheMemoryOfAForgottenBuffer() {
        python.exec("used = bytearray(b'used')");
        PyBuffer buffer = buffer("used");
        ByteBuffer bytes = ByteBuffer.class.cast(buffer.byteBuffer());
        WeakReference<PyBuffer> forgotten = new WeakReference<>(buffer);
        buffer = null;
        while (forgotten.get() != null) {
            System.gc();
        }
        // Whoever collected it had his chance: a handle collected after it was given back.
        python.exec("import weakref\nclass Later: pass\nlater = weakref.WeakSet()");
        python.exec("def make():\n    one = Later()\n    later.add(one)\n    return one");
        python.eval("make()");
        while (python.eval("len(later)", int.class) > 0) {
            System.gc();
        }
        assertFalse(isFree("used"));
        assertEquals('u', bytes.get(0));
        bytes = null;
        awaitFree("used");
    }

    @Test
    void buffersAreClosedWhileOthersUseThem() throws Exception {
        python.exec("hammered = bytearray(b'\\7' * 4096)");
        AtomicReference<PyBuffer> current = new AtomicReference<>(buffer("hammered"));
        try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
            List<Future<Integer>> readers = new ArrayList<>();
            for (int thread = 0; thread < 2; thread++) {
                readers.add(executor.submit(() -> {
                    int refused = 0;
                    for (PyBuffer buffer; (buffer = current.get()) != null; ) {
                        try {
                            for (byte value : buffer.segment().toArray(ValueLayout.JAVA_BYTE)) {
                                assertEquals(7, value);
                            }
                        } catch (IllegalStateException e) {
                            refused++;
                        }
                    }
                    return refused;
                }));
            }
            List<Future<?>> closers = new ArrayList<>();
            for (int thread = 0; thread < 2; thread++) {
                closers.add(executor.submit(() -> {
                    for (int i = 0; i < 20; i++) {
                        current.getAndSet(buffer("hammered")).close();
                    }
                }));
            }
            try {
                for (Future<?> closer : closers) {
                    closer.get(60, TimeUnit.SECONDS);
                }
            } finally {
                current.getAndSet(null).close();
            }
            for (Future<Integer> reader : readers) {
                reader.get(60, TimeUnit.SECONDS);
            }
        }
        assertTrue(isFree("hammered"));
    }

    @Test
    void virtualThreadsUseBuffers() throws Exception {
        python.exec("light = bytearray(b'light')");
        Thread.ofVirtual()
                .start(() -> {
                    try (PyBuffer buffer = buffer("light")) {
                        buffer.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) 'n');
                    }
                })
                .join();
        assertEquals("night", python.eval("light.decode()", String.class));
        assertTrue(isFree("light"));
    }
}
