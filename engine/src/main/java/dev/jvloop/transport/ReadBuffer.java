package dev.jvloop.transport;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/**
 * Receives from one socket; {@link #fetch} is overridden for what is read by another system call.
 *
 * <p>Small messages come through the loop's read buffer and are copied into a bytes object of their exact size. After
 * a read of {@value #LARGE} bytes or more the next one goes straight into a bytes object of asyncio's largest read,
 * which is then cut: the copy would cost more than the reallocation.
 */
class ReadBuffer {
    private static final int LARGE = 48 * 1024;

    private final EventLoop loop;
    private boolean lastWasLarge;
    private long ownedBytes;
    private long received;
    private boolean failedBeforeReading;
    private long bufferLength;

    ReadBuffer(EventLoop loop) {
        this.loop = loop;
    }

    /** The system call: the kernel's result, or {@code -errno}. */
    long fetch(int fd, long address, long length) {
        return loop.calls().recv(fd, address, length);
    }

    /** Receives what is there; the result is the kernel's. After a positive one, {@link #takeOwnedBytes} follows. */
    long receive(int fd) {
        if (lastWasLarge) {
            return receiveLarge(fd);
        }
        received = fetch(fd, loop.scratch().readBuffer, IoScratch.READ_SIZE);
        noteSize();
        return received;
    }

    /** The received data: an owned reference to a bytes object, to be released by {@link #giveBack}. */
    long takeOwnedBytes() {
        if (ownedBytes == 0) {
            return loop.scratch().spareBytes.newCopy(loop.scratch().readBuffer, received);
        }
        long owned = ownedBytes;
        ownedBytes = 0;
        return owned;
    }

    void giveBack(long ownedData) {
        loop.scratch().spareBytes.giveBack(ownedData);
    }

    private void noteSize() {
        lastWasLarge = received >= LARGE;
        if (lastWasLarge) {
            loop.noteLargeMessage();
        }
    }

    private long receiveLarge(int fd) {
        long ownedRoom = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(0, IoScratch.READ_SIZE));
        received = fetch(fd, Py.bytesData(ownedRoom), IoScratch.READ_SIZE);
        noteSize();
        long owned = Buffer.newShortened(ownedRoom, Math.max(received, 0), loop.scratch());
        if (received > 0) {
            ownedBytes = owned;
        } else {
            Refs.decref(owned);
        }
        return received;
    }

    /**
     * Receives into the buffer a protocol gave; the result is the kernel's.
     *
     * @throws PythonError if the buffer is empty or not writable
     */
    long receiveInto(int fd, long exporter) {
        failedBeforeReading = false;
        try (Buffer buffer = Buffer.writable(exporter)) {
            if (buffer.length() == 0) {
                failedBeforeReading = true;
                throw PyErr.raise(PyErr.RUNTIME_ERROR, "get_buffer() returned an empty buffer");
            }
            bufferLength = buffer.length();
            return fetch(fd, buffer.address(), bufferLength);
        }
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
