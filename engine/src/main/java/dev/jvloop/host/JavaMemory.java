package dev.jvloop.host;

import dev.jvloop.capi.Buffers;
import dev.jvloop.py.BufferView;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.NativeType;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Upcalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;

/**
 * The Python object behind every memoryview of Java's memory: it has the buffer protocol, and keeps the Java segment.
 *
 * <p>What makes it hard: Python keeps a view as long as it likes, and Java's memory ends when its arena is closed. So
 * that memory is shown which cannot end while its segment is kept (of the global and of automatic arenas), and that of a
 * {@link ViewedArena}, which counts its views. Other memory is refused.
 *
 * <p>ctypes has objects for memory at an address too, but these do not say when nobody views it any more, let everybody
 * write, and need a class for every length.
 */
final class JavaMemory {
    private static final long TYPE = JavaReference.newType(
            "jvloop.JavaMemory",
            slot(NativeType.BF_GETBUFFER, "getBuffer"),
            slot(NativeType.BF_RELEASEBUFFER, "releaseBuffer"));

    private static final MemorySegment.Scope GLOBAL = Arena.global().scope();
    private static final MemorySegment.Scope AUTOMATIC = Arena.ofAuto().scope();
    private static final MemorySegment.Scope OF_A_BUFFER =
            MemorySegment.ofBuffer(ByteBuffer.allocateDirect(1)).scope();
    private static final MemorySegment.Scope SHARED = Arena.ofShared().scope();
    private static final MemorySegment.Scope CONFINED = Arena.ofConfined().scope();

    private final MemorySegment segment;
    private final ViewedArena arenaOrNull;

    private JavaMemory(MemorySegment segment, ViewedArena arenaOrNull) {
        this.segment = segment;
        this.arenaOrNull = arenaOrNull;
    }

    /** Makes the Python type, at start-up, as {@code JavaReference.prepare} does. */
    static void prepare() {
        assert TYPE != 0;
    }

    private static NativeType.Slot slot(int id, String body) {
        return new NativeType.Slot(id, Upcalls.body(MethodHandles.lookup(), JavaMemory.class, body));
    }

    /**
     * A new memoryview of the segment, or a new bytes object with its content if it is on Java's heap. In Python.
     *
     * @throws IllegalStateException if its arena was closed
     * @throws IllegalArgumentException if its arena may be closed while Python has the view
     */
    static long newView(MemorySegment segment) {
        if (!segment.isNative()) {
            return ToPython.newBytes(segment);
        }
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException("the arena of this memory was closed");
        }
        ViewedArena arenaOrNull = ViewedArena.ofOrNull(segment.scope());
        if (arenaOrNull == null && !staysWhileKept(segment.scope())) {
            throw new IllegalArgumentException(
                    "the memory of an arena that can be closed while Python has a view of it:"
                            + " allocate it in an arena of Python.arena(), in an automatic or the global one, or pass a copy");
        }
        long ownedMemory = JavaReference.newFor(TYPE, new JavaMemory(segment, arenaOrNull));
        return Owned.releasing(
                ownedMemory,
                () -> arenaOrNull == null
                        ? PyErr.checked(Buffers.PyMemoryView_FromObject(ownedMemory))
                        : arenaOrNull.newView(ownedMemory));
    }

    /**
     * Whether the memory stays as long as a segment of it is kept. The JDK tells whether an arena was closed, not whether
     * it can be; but its scopes of those that cannot are of classes of their own. What is of another class is taken for
     * one that can.
     */
    private static boolean staysWhileKept(MemorySegment.Scope scope) {
        Class<?> kind = scope.getClass();
        boolean isOfOneThatStays =
                kind == GLOBAL.getClass() || kind == AUTOMATIC.getClass() || kind == OF_A_BUFFER.getClass();
        return isOfOneThatStays && kind != SHARED.getClass() && kind != CONFINED.getClass();
    }

    private static JavaMemory of(long self) {
        return (JavaMemory) JavaReference.get(self);
    }

    /** int getbuffer(PyObject *self, Py_buffer *view, int flags) */
    @SuppressWarnings("unused")
    private static long getBuffer(long self, long view, long flags, long unused) {
        JavaMemory memory = of(self);
        if (memory.arenaOrNull != null && !memory.arenaOrNull.addView()) {
            BufferView.refuse(view);
            throw PyErr.raise(HostNames.BUFFER_ERROR, "Java has closed the arena of this memory");
        }
        MemorySegment segment = memory.segment;
        if (Buffers.PyBuffer_FillInfo(
                        view, self, segment.address(), segment.byteSize(), segment.isReadOnly(), (int) flags)
                != 0) {
            BufferView.refuse(view);
            memory.removeView();
            throw PythonError.SET;
        }
        return 0;
    }

    /** void releasebuffer(PyObject *self, Py_buffer *view) */
    @SuppressWarnings("unused")
    private static long releaseBuffer(long self, long view, long unused1, long unused2) {
        of(self).removeView();
        return 0;
    }

    private void removeView() {
        if (arenaOrNull != null) {
            arenaOrNull.removeView();
        }
    }
}
