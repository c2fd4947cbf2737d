package dev.jvloop.transport;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.linux.Errno;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.PlainMemory;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/**
 * What the Java halves of transports of bytes have in common: what is written is sent at once from the memory of the
 * bytes object, and only what the kernel does not take is queued.
 */
abstract class ByteTransport extends WritableTransport {
    final WriteQueue queue = new WriteQueue();

    ByteTransport(EventLoop loop, long self, int fd, boolean sharesFd, int lostWritesAtFirst) {
        super(loop, self, fd, sharesFd, lostWritesAtFirst);
    }

    /**
     * The system call: the kernel's result, or {@code -errno}.
     *
     * @param flags of send(2), where that is the call
     */
    abstract long send(long address, long length, long flags);

    /** The system call for what is queued: likewise. */
    abstract long sendQueued();

    /** Whether what is written now counts as lost. */
    abstract boolean losesWrites();

    /** Ends the transport with an error of the kernel's, or of a bytes-like object's. */
    abstract void writeFailed(long ownedException);

    /** Called when the kernel takes data and none is queued, for transports that watch for that. */
    void writableWhileDrained() {}

    /** Called when the last that was queued is sent. */
    abstract void drained();

    @Override
    final long bufferedByteCount() {
        return queue.size();
    }

    @Override
    final boolean isDrained() {
        return queue.isEmpty();
    }

    @Override
    final void dropQueued() {
        queue.clear();
    }

    /** Writes a bytes-like object. */
    final void writeObject(long data, long flags) {
        if (Py.isBytes(data)) {
            writeMemory(data, Py.bytesData(data), Py.size(data), flags);
        } else {
            writeBuffer(data, flags);
        }
    }

    private void writeBuffer(long data, long flags) {
        long address = PlainMemory.addressOrZero(data);
        if (address != 0) {
            writeMemory(0, address, PlainMemory.length(data), flags);
            return;
        }
        Buffer buffer;
        try {
            buffer = Buffer.of(data);
        } catch (PythonError e) {
            writeFailed(PyErr.newTaken());
            return;
        }
        try (buffer) {
            writeMemory(0, buffer.address(), buffer.length(), flags);
        }
    }

    /**
     * Writes memory, which is read before any Python code runs.
     *
     * @param bytesOrNull the bytes object that it belongs to, or 0 where what is left must be copied
     */
    final void writeMemory(long bytesOrNull, long address, long length, long flags) {
        if (length == 0) {
            return;
        }
        if (losesWrites()) {
            noteLostWrite();
            return;
        }
        long sent = 0;
        if (queue.isEmpty()) {
            loop.poller().noteFollowed();
            sent = send(address, length, flags);
            if (sent == length) {
                return;
            }
            if (sent < 0) {
                if (sent != -Errno.EAGAIN && sent != -Errno.EINTR) {
                    writeFailed(PyErr.newOsError((int) -sent));
                    return;
                }
                sent = 0;
            }
        }
        if (bytesOrNull != 0) {
            queue.add(Refs.incref(bytesOrNull), sent);
        } else {
            queue.add(PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address + sent, length - sent)), 0);
        }
        updateInterest();
        flowControl.afterQueuing(queue.size());
    }

    @Override
    final void writeReady() {
        if (isLost()) {
            return;
        }
        if (queue.isEmpty()) {
            writableWhileDrained();
            return;
        }
        loop.poller().noteFollowed();
        long sent = sendQueued();
        if (sent == -Errno.EAGAIN || sent == -Errno.EINTR) {
            return;
        }
        if (sent < 0) {
            writeFailed(PyErr.newOsError((int) -sent));
            return;
        }
        queue.advance(sent);
        tellFlowControl();
        if (queue.isEmpty() && !isLost()) {
            queue.clear();
            updateInterest();
            drained();
        }
    }

    /** Tells the protocol, where it is due, that there is room again. */
    void tellFlowControl() {
        flowControl.afterSending(queue.size());
    }
}
