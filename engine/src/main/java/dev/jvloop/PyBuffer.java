package dev.jvloop;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * The memory of a Python object, used by Java without a copy: {@link PyObject#buffer()}.
 *
 * <p>Until it is closed it keeps the object alive and its memory where it is; Python refuses what would move it, for
 * example appending to a bytearray, with a BufferError. From then on its segment, the slices of that and the byte
 * buffers made of it throw {@link IllegalStateException}: none can reach memory that is Python's again. Closing Python
 * closes it. One that is not closed is given back after it, its segment and all that was made of that have been
 * collected, when a thread next calls Python.
 *
 * <p>Every method may be called by any thread, and the memory used by any; what Java and Python do to it at the same
 * time is theirs to order. Using the memory does not need the GIL.
 */
public interface PyBuffer extends AutoCloseable {
    /** All items, in C's order: the last index varies fastest. It is read-only where Python's memory is. */
    MemorySegment segment();

    /**
     * {@link #segment()} as a byte buffer in the machine's byte order.
     *
     * @throws UnsupportedOperationException if it is larger than 2 GiB
     */
    ByteBuffer byteBuffer();

    /** Whether the memory may only be read: that of bytes, and of a memoryview of it. */
    boolean isReadOnly();

    /** Of an item, as Python's module {@code struct} has it: {@code B} for bytes, {@code d} for doubles. */
    String format();

    /** Of an item, in bytes. */
    long itemSize();

    /** Number of items in each dimension. */
    long[] shape();

    /**
     * Gives the memory back. Closing again does nothing.
     *
     * @throws IllegalStateException if the memory is being read or written by a system call, for example by another
     *     thread's channel; it stays open then
     */
    @Override
    void close();
}
