package dev.jvloop.transport;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.Poller;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/**
 * The Java half of a {@code jvloop.WritePipeTransport}: writes to a pipe, FIFO, socket or character device.
 *
 * <p>A pipe's write end never has anything to read, but becomes ready for reading when the last reader closes. So it is
 * watched for that all the time, and a program hears of a broken pipe without writing. As on asyncio, a socket whose
 * peer sends something counts as closed too.
 */
final class WritePipeTransport extends PipeTransport {
    private static final String WRITE_ERROR = "Fatal write error on pipe transport";

    private final WriteQueue queue = new WriteQueue();
    private final FlowControl flowControl;
    private final boolean noticesReader;
    private int lostWriteCount;

    /** @param noticesReader whether readiness for reading says that the reader closed: not on character devices */
    WritePipeTransport(EventLoop loop, long self, int fd, boolean noticesReader) {
        super(loop, self, fd, PipeLayout.WRITE);
        this.flowControl = new FlowControl(loop, self, PipeLayout.WRITE.protocol);
        this.noticesReader = noticesReader;
    }

    static WritePipeTransport of(long transport) {
        return (WritePipeTransport) PipeLayout.WRITE.halfOf(transport);
    }

    FlowControl flowControl() {
        return flowControl;
    }

    void setWaterMarks(long low, long high) {
        flowControl.setWaterMarks(low, high);
        flowControl.afterQueuing(queue.size());
    }

    long bufferedByteCount() {
        return queue.size();
    }

    @Override
    int wantedInterest() {
        return (noticesReader ? Poller.READ : 0) | (queue.isEmpty() ? 0 : Poller.WRITE);
    }

    @Override
    void serve(int events) {
        if ((events & Poller.READ) != 0 && !isLost()) {
            Calls.run(PipeHelpers.CLOSED_BY_READER, self, queue.isEmpty() ? Py.FALSE : Py.TRUE);
        }
        if ((events & Poller.WRITE) != 0 && !isLost()) {
            writeReady();
        }
    }

    // ---- writing ----

    /**
     * Writes a bytes-like object; what the kernel does not take is queued.
     *
     * @throws PythonError AssertionError for another object, as asyncio's
     */
    void write(long data) {
        if (Py.isBytes(data)) {
            writeMemory(data, Py.bytesData(data), Py.size(data));
        } else if (Py.isBytesLike(data)) {
            writeBuffer(data);
        } else {
            Calls.run(PipeHelpers.REFUSE_DATA, data);
        }
    }

    private void writeBuffer(long data) {
        Buffer buffer;
        try {
            buffer = Buffer.of(data);
        } catch (PythonError e) {
            failWrite(PyErr.newTaken());
            return;
        }
        try (buffer) {
            writeMemory(0, buffer.address(), buffer.length());
        }
    }

    /** @param bytesOrNull the bytes object that the memory belongs to, or 0 where what is left must be copied */
    private void writeMemory(long bytesOrNull, long address, long length) {
        if (length == 0) {
            return;
        }
        if (isClosing()) {
            noteLostWrite();
            return;
        }
        long written = 0;
        if (queue.isEmpty()) {
            written = calls.write(fd(), address, length);
            if (written == length) {
                return;
            }
            if (written < 0) {
                if (written != -Errno.EAGAIN && written != -Errno.EINTR) {
                    failWrite(PyErr.newOsError((int) -written));
                    return;
                }
                written = 0;
            }
        }
        if (bytesOrNull != 0) {
            queue.add(Refs.incref(bytesOrNull), written);
        } else {
            queue.add(PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address + written, length - written)), 0);
        }
        updateInterest();
        flowControl.afterQueuing(queue.size());
    }

    private void noteLostWrite() {
        if (lostWriteCount >= TransportHelpers.LOST_WRITES_BEFORE_WARNING) {
            Calls.run(PipeHelpers.WARN_LOST_WRITE);
        }
        lostWriteCount++;
    }

    /** Writes from the queue: when the kernel takes data again. */
    private void writeReady() {
        if (queue.isEmpty()) {
            return;
        }
        IoScratch scratch = loop.scratch();
        long written = calls.writev(fd(), scratch.iovecs, queue.fill(scratch));
        if (written == -Errno.EAGAIN || written == -Errno.EINTR) {
            return;
        }
        if (written < 0) {
            failWrite(PyErr.newOsError((int) -written));
            return;
        }
        queue.advance(written);
        if (queue.isEmpty()) {
            queue.clear();
            updateInterest();
            // asyncio's write pipe resumes its protocol when all is written, not at the low-water mark.
            flowControl.afterSending(0);
            if (isClosing() && end()) {
                Calls.run(PipeHelpers.CALL_CONNECTION_LOST, self, Py.NONE);
            }
        }
    }

    private void failWrite(long ownedException) {
        queue.clear();
        lostWriteCount++;
        fatal(ownedException, WRITE_ERROR);
    }

    // ---- the end ----

    /** Closes once what is queued is written. */
    void writeEof() {
        if (isClosing()) {
            return;
        }
        noteClosing();
        if (queue.isEmpty() && end()) {
            Calls.run(PipeHelpers.SCHEDULE_CONNECTION_LOST, self, Py.NONE);
        }
    }

    @Override
    boolean end() {
        queue.clear();
        return super.end();
    }
}
