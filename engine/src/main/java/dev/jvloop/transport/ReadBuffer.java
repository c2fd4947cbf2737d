package dev.jvloop.transport;

import dev.jvloop.loop.BytesReceiver;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.PlainMemory;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;

/** Receives from one stream socket: bytes objects, or into the buffer that a protocol gives. */
final class ReadBuffer extends BytesReceiver {
    private boolean failedBeforeReading;
    private long bufferLength;

    ReadBuffer(EventLoop loop) {
        super(loop);
    }

    @Override
    protected long fetch(int fd, long address, long length) {
        return loop.calls().recvStream(fd, address, length);
    }

    /**
     * Receives into the buffer a protocol gave; the result is the kernel's.
     *
     * @throws PythonError if the buffer is empty or not writable
     */
    long receiveInto(int fd, long exporter) {
        failedBeforeReading = false;
        long address = PlainMemory.writableAddressOrZero(exporter);
        if (address != 0) {
            return receiveInto(fd, address, PlainMemory.length(exporter));
        }
        try (Buffer buffer = Buffer.writable(exporter)) {
            return receiveInto(fd, buffer.address(), buffer.length());
        }
    }

    private long receiveInto(int fd, long address, long length) {
        if (length == 0) {
            failedBeforeReading = true;
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "get_buffer() returned an empty buffer");
        }
        bufferLength = length;
        return fetch(fd, address, length);
    }

    /** How many bytes the last {@link #receiveInto} asked for. */
    long bufferLength() {
        return bufferLength;
    }

    /** Whether the last {@link #receiveInto} failed because the buffer is empty, which asyncio finds out earlier. */
    boolean failedBeforeReading() {
        return failedBeforeReading;
    }
}
