package dev.jvloop.loop;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.RawMemory;
import dev.jvloop.foreign.Memory;
import dev.jvloop.linux.FileCalls;
import dev.jvloop.openssl.RecordBuffers;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.SpareBytes;
import java.lang.foreign.Arena;

/** Native memory that all transports of one loop share, since only one of them does I/O at a time. */
public final class IoScratch {
    /** What asyncio reads at most at once. */
    public static final int READ_SIZE = 256 * 1024;
    /** IOV_MAX of Linux. */
    public static final int MAX_IOVECS = 1024;

    public static final int SOCKADDR_SIZE = 128;

    /**
     * {@link #READ_SIZE} bytes to receive into; 0 once the loop is closed, for which the kernel has EFAULT.
     *
     * <p>C's memory rather than an arena's: that which the garbage collector frees counts towards the JVM's limit of
     * direct memory, which some four hundred loops reached, and it comes back only when a collection happens to run.
     */
    public long readBuffer;
    /** For the bytes objects that protocols get. */
    public final SpareBytes spareBytes = new SpareBytes();
    /** One word, for C functions that change a reference in place. */
    public final long word;
    /** {@link #MAX_IOVECS} struct iovec. */
    public final long iovecs;

    private final long messageHeader;
    private final long callArguments;
    /** Three words, for {@link HeldArguments}. */
    final long heldArguments;

    /** A struct sockaddr_storage, and behind it a socklen_t. */
    public final long address;

    public final long addressLength;

    private RecordBuffers recordBuffers;
    private FileCalls fileCalls;

    IoScratch(Arena arena) {
        iovecs = arena.allocate(16L * MAX_IOVECS, 16).address();
        word = arena.allocate(8, 8).address();
        messageHeader = arena.allocate(56, 16).address();
        callArguments = arena.allocate(32, 8).address();
        heldArguments = arena.allocate(24, 8).address();
        address = arena.allocate(SOCKADDR_SIZE + 8, 16).address();
        addressLength = address + SOCKADDR_SIZE;
        readBuffer = RawMemory.PyMem_RawMalloc(READ_SIZE);
        if (readBuffer == 0) {
            throw new OutOfMemoryError("no memory to receive into");
        }
    }

    /** What TLS connections share, made when the first one needs it. */
    public RecordBuffers recordBuffers() {
        if (recordBuffers == null) {
            recordBuffers = new RecordBuffers();
        }
        return recordBuffers;
    }

    /** Made when the first file is sent. */
    FileCalls fileCalls() {
        if (fileCalls == null) {
            fileCalls = new FileCalls();
        }
        return fileCalls;
    }

    /** The loop is closed: nothing is received any more. */
    void close() {
        spareBytes.close();
        RawMemory.PyMem_RawFree(readBuffer);
        readBuffer = 0;
        if (recordBuffers != null) {
            recordBuffers.close();
        }
    }

    private static final int MSG_IOV = 16;
    private static final int MSG_IOVLEN = 24;

    /** A struct msghdr for the first {@code count} iovecs. */
    public long message(int count) {
        Memory.putLong(messageHeader + MSG_IOV, iovecs);
        Memory.putLong(messageHeader + MSG_IOVLEN, count);
        return messageHeader;
    }

    /**
     * Cuts a bytes object that nobody else has seen yet; takes over the reference.
     *
     * @return a new reference
     */
    public long newShortened(long ownedBytes, long length) {
        Memory.putLong(word, ownedBytes);
        if ((int) ByteStrings._PyBytes_Resize(word, length) != 0) {
            throw PythonError.SET;
        }
        return Memory.getLong(word);
    }

    private static final long PY_VECTORCALL_ARGUMENTS_OFFSET = 1L << 63;

    /**
     * Calls a method with one argument, without an allocation: for the calls that the loop makes for each packet.
     * One array is enough although such calls may nest: a function takes its arguments before it calls on.
     *
     * @return a new reference, or 0 with the error indicator set
     */
    public long callMethod(long object, long name, long argument) {
        Memory.putLong(callArguments + 8, object);
        Memory.putLong(callArguments + 16, argument);
        return Abstract.PyObject_VectorcallMethod(name, callArguments + 8, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, 0);
    }

    /** {@link #callMethod(long, long, long)} without an argument. */
    public long callMethod(long object, long name) {
        Memory.putLong(callArguments + 8, object);
        return Abstract.PyObject_VectorcallMethod(name, callArguments + 8, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, 0);
    }

    /** {@link #callMethod(long, long, long)} with two arguments. */
    public long callMethod(long object, long name, long first, long second) {
        Memory.putLong(callArguments + 8, object);
        Memory.putLong(callArguments + 16, first);
        Memory.putLong(callArguments + 24, second);
        return Abstract.PyObject_VectorcallMethod(name, callArguments + 8, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, 0);
    }
}
