package dev.jvloop.host;

import dev.jvloop.PyBuffer;
import dev.jvloop.capi.Buffers;
import dev.jvloop.capi.RawMemory;
import dev.jvloop.py.BufferView;
import dev.jvloop.py.PythonError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.lang.ref.WeakReference;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The memory of Python objects that Java uses at the moment.
 *
 * <p>What makes it hard: a segment lives on its own, without the {@link PyBuffer} that it came from, and the memory must
 * not go before both. So what a Cleaner watches is the {@link Lifetime}, which both lead to: the segment by way of its
 * scope, which holds the action for its end.
 */
final class OpenBuffers {
    private final Interpreter interpreter;
    private final Cleaner cleaner;
    private final Queue<Loan> released;
    private final Set<OpenBuffer> open = ConcurrentHashMap.newKeySet();

    /** @param released where a buffer is put that a thread outside Python closed */
    OpenBuffers(Interpreter interpreter, Cleaner cleaner, Queue<Loan> released) {
        this.interpreter = interpreter;
        this.cleaner = cleaner;
        this.released = released;
    }

    /** A filled-in {@code Py_buffer} in memory of its own. */
    private record OpenBuffer(long ownedView, WeakReference<Lifetime> lifetime) implements Loan {
        @Override
        public void giveBack() {
            Buffers.PyBuffer_Release(ownedView);
            RawMemory.PyMem_RawFree(ownedView);
        }
    }

    /** How long Java may use the memory. */
    static final class Lifetime {
        private final Arena arena = Arena.ofShared();
        private final AtomicBoolean isClosed = new AtomicBoolean();
        private Cleaner.Cleanable cleanable;

        private MemorySegment segment(long view) {
            MemorySegment all = MemorySegment.ofAddress(BufferView.address(view))
                    .reinterpret(BufferView.length(view), arena, _ -> cleanable.clean());
            return BufferView.isReadOnly(view) ? all.asReadOnly() : all;
        }

        /** Any thread. Throws IllegalStateException if a system call uses the memory. */
        void close() {
            if (isClosed.compareAndSet(false, true)) {
                try {
                    arena.close();
                } catch (IllegalStateException e) {
                    isClosed.set(false);
                    throw e;
                }
            }
        }
    }

    /**
     * The memory of an object. In Python.
     *
     * @throws PythonError TypeError if it has none to show; BufferError or ValueError if its items are not contiguous
     */
    PyBuffer newBuffer(long exporter) {
        long ownedView = RawMemory.PyMem_RawMalloc(BufferView.SIZE_BYTES);
        if (ownedView == 0) {
            throw new OutOfMemoryError();
        }
        if (Buffers.PyObject_GetBuffer(exporter, ownedView, BufferView.CONTIGUOUS_WITH_FORMAT) != 0) {
            RawMemory.PyMem_RawFree(ownedView);
            throw PythonError.SET;
        }
        Lifetime lifetime = new Lifetime();
        OpenBuffer buffer = new OpenBuffer(ownedView, new WeakReference<>(lifetime));
        open.add(buffer);
        lifetime.cleanable = cleaner.register(lifetime, () -> release(buffer));
        return new BufferHandle(interpreter, lifetime, lifetime.segment(ownedView), ownedView);
    }

    private void release(OpenBuffer buffer) {
        if (open.remove(buffer)) {
            released.add(buffer);
        }
    }

    /** Closes all, before Python ends. What a system call uses at that moment stays, and so does its memory. */
    void closeAll() {
        for (OpenBuffer buffer : open) {
            Lifetime lifetime = buffer.lifetime.get();
            if (lifetime != null) {
                try {
                    lifetime.close();
                } catch (IllegalStateException inUse) {
                    // It is not given back, so Python ends without freeing it.
                }
            }
        }
    }
}
