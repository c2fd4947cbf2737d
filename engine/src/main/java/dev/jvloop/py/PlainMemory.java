package dev.jvloop.py;

import dev.jvloop.capi.ByteArrays;
import dev.jvloop.capi.Version;
import dev.jvloop.foreign.Memory;

/**
 * The memory of bytearray and memoryview objects, read from their fields. To ask the buffer protocol for it and to give it
 * back is two calls with a thread-state transition each. An echo of 1 KiB by a BufferedProtocol asks twice.
 *
 * <p>It is the object's until the calling thread runs Python code or releases the GIL: whoever needs it for longer asks the
 * buffer protocol. Without a GIL nothing is known here, since another thread may resize or release it at any time.
 */
public final class PlainMemory {
    /** Of the Py_buffer in a memoryview; 0 if it was not found. */
    private static final long BUFFER = Version.FREE_THREADED ? 0 : Namespace.integer("offset.memoryview_buffer");

    private static final long FLAGS = Namespace.integer("offset.memoryview_flags");
    /** The flags of one that is not released, of memory without gaps. */
    private static final int PLAIN = (int) Namespace.integer("offset.memoryview_plain");

    private PlainMemory() {}

    /** Where an object's memory begins, or 0 if that is not known: it is another object, or not plain. */
    public static long addressOrZero(long object) {
        long type = Py.typeOf(object);
        if (type == Py.MEMORYVIEW) {
            return isPlainView(object) ? BufferView.address(object + BUFFER) : 0;
        }
        return type == Py.BYTEARRAY && !Version.FREE_THREADED ? ByteArrays.PyByteArray_AsString(object) : 0;
    }

    /** {@link #addressOrZero} of memory that may be written to. */
    public static long writableAddressOrZero(long object) {
        long address = addressOrZero(object);
        return address != 0 && Py.typeOf(object) == Py.MEMORYVIEW && BufferView.isReadOnly(object + BUFFER)
                ? 0
                : address;
    }

    /** In bytes, where the address is known. */
    public static long length(long object) {
        return Py.typeOf(object) == Py.MEMORYVIEW ? BufferView.length(object + BUFFER) : Py.size(object);
    }

    private static boolean isPlainView(long view) {
        return BUFFER != 0 && Memory.getInt(view + FLAGS) == PLAIN;
    }
}
