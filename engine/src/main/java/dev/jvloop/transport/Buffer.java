package dev.jvloop.transport;

import dev.jvloop.capi.Buffers;
import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.py.BufferView;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import dev.jvloop.py.Scratch;

/**
 * The memory of an object that has the buffer protocol, until {@link #close}. Buffers are closed in the opposite order, by
 * the same thread.
 */
final class Buffer implements AutoCloseable {
    private static final long PY_BUF_SIMPLE = 0;
    private static final long PY_BUF_WRITABLE = 1;
    private final Scratch.Piece memory = Scratch.take(BufferView.SIZE_BYTES);
    private final long view = memory.address();

    private Buffer(long exporter, long flags) {
        if (Buffers.PyObject_GetBuffer(exporter, view, flags) != 0) {
            memory.close();
            throw PythonError.SET;
        }
    }

    /** Contiguous memory to read. */
    static Buffer of(long exporter) {
        return new Buffer(exporter, PY_BUF_SIMPLE);
    }

    /**
     * Contiguous memory to write.
     *
     * @throws PythonError TypeError, as from {@code socket.recv_into}, if there is none
     */
    static Buffer writable(long exporter) {
        try {
            return new Buffer(exporter, PY_BUF_WRITABLE);
        } catch (PythonError e) {
            PyErrors.PyErr_Clear();
            throw PyErr.raise(
                    PyErr.TYPE_ERROR,
                    "recv_into() argument 1 must be read-write bytes-like object, not " + Py.typeName(exporter));
        }
    }

    long address() {
        return BufferView.address(view);
    }

    /** In bytes. */
    long length() {
        return BufferView.length(view);
    }

    /** A new reference to a bytes object: the object itself where it is one, else a copy of its memory. */
    static long newBytes(long exporter) {
        if (Py.isBytes(exporter)) {
            return Refs.incref(exporter);
        }
        try (Buffer buffer = of(exporter)) {
            return PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(buffer.address(), buffer.length()));
        }
    }

    @Override
    public void close() {
        Buffers.PyBuffer_Release(view);
        memory.close();
    }
}
