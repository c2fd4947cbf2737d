package dev.jvloop.py;

import dev.jvloop.capi.Buffers;
import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;

/** Reading a {@code Py_buffer}, by its address. The structure is public, and part of CPython's stable ABI from 3.11 on. */
public final class BufferView {
    /** Of the whole structure. */
    public static final long SIZE_BYTES = 80;

    /** Asks for items in C's order without gaps, their format and the shape; for memory that may be read-only. */
    public static final long CONTIGUOUS_WITH_FORMAT = 0x20 | 0x10 | 0x08 | 0x04;

    private static final long BUF = 0;
    private static final long OBJ = 8;
    private static final long LEN = 16;
    private static final long ITEMSIZE = 24;
    private static final long READONLY = 32;
    private static final long NDIM = 36;
    private static final long FORMAT = 40;
    private static final long SHAPE = 48;

    private BufferView() {}

    /** Of the first byte. */
    public static long address(long view) {
        return Memory.getLong(view + BUF);
    }

    /** Of all items, in bytes. */
    public static long length(long view) {
        return Memory.getLong(view + LEN);
    }

    /** In bytes. */
    public static long itemSize(long view) {
        return Memory.getLong(view + ITEMSIZE);
    }

    public static boolean isReadOnly(long view) {
        return Memory.getInt(view + READONLY) != 0;
    }

    /** As the module {@code struct} has it. */
    public static String format(long view) {
        long format = Memory.getLong(view + FORMAT);
        return format == 0 ? "B" : Memory.getString(format);
    }

    /** Items in each dimension; none of a single item. */
    public static long[] shape(long view) {
        long[] shape = new long[Memory.getInt(view + NDIM)];
        long first = Memory.getLong(view + SHAPE);
        for (int i = 0; i < shape.length; i++) {
            shape[i] = Memory.getLong(first + 8L * i);
        }
        return shape;
    }

    /** What a function of an exporter does before it reports an error: says that there is nothing to release. */
    public static void refuse(long view) {
        Memory.putLong(view + OBJ, 0);
    }

    /** Throws if the buffer of a bytes object does not read as that. */
    static void check(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            long view = arena.allocate(SIZE_BYTES, 8).address();
            Layout.expect("buffer", Buffers.PyObject_GetBuffer(bytes, view, CONTIGUOUS_WITH_FORMAT) == 0);
            Layout.expect("buffer's memory", address(view) == Py.bytesData(bytes) && length(view) == Py.size(bytes));
            Layout.expect("buffer's object", Memory.getLong(view + OBJ) == bytes);
            Layout.expect("buffer's items", itemSize(view) == 1 && format(view).equals("B") && isReadOnly(view));
            Layout.expect("buffer's shape", Memory.getInt(view + NDIM) == 1 && shape(view)[0] == Py.size(bytes));
            Buffers.PyBuffer_Release(view);
        }
    }
}
