package dev.jvloop.transport;

import dev.jvloop.linux.PipeCalls;
import dev.jvloop.linux.Poller;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PythonError;

/**
 * The Java half of a {@code jvloop.WritePipeTransport}: writes to a pipe, FIFO, socket or character device.
 *
 * <p>A pipe's write end never has anything to read, but becomes ready for reading when the last reader closes. So it is
 * watched for that all the time, and a program hears of a broken pipe without writing. As on asyncio, a socket whose
 * peer sends something counts as closed too.
 *
 * <p>As on asyncio, an exception of the protocol goes to the loop's exception handler and the transport goes on.
 */
final class WritePipeTransport extends ByteTransport {
    private final PipeCalls calls;
    private final boolean noticesReader;

    /** @param noticesReader whether readiness for reading says that the reader closed: not on character devices */
    WritePipeTransport(EventLoop loop, long self, int fd, boolean noticesReader) {
        super(loop, self, fd, true, LOST_WRITES_OF_PIPES);
        this.calls = new PipeCalls(loop.calls());
        this.noticesReader = noticesReader;
    }

    static WritePipeTransport of(long transport) {
        return (WritePipeTransport) TransportSlots.WRITABLE.halfOf(transport);
    }

    @Override
    int wantedInterest() {
        return isStarted() ? (noticesReader ? Poller.READ : 0) | (queue.isEmpty() ? 0 : Poller.WRITE) : 0;
    }

    @Override
    void readReady() {
        if (!isLost()) {
            Calls.run(PipeHelpers.CLOSED_BY_READER, self, queue.isEmpty() ? Py.FALSE : Py.TRUE);
        }
    }

    @Override
    void serveFailed(long ownedException) {
        callbackFailed(ownedException, "WritePipeTransport._write_ready");
    }

    /**
     * Writes a bytes-like object; what the kernel does not take is queued.
     *
     * @throws PythonError AssertionError for another object, as asyncio's
     */
    void write(long data) {
        if (Py.isBytesLike(data)) {
            writeObject(data, 0);
        } else {
            Calls.run(PipeHelpers.REFUSE_DATA, data);
        }
    }

    @Override
    long send(long address, long length, long flags) {
        return calls.write(fd(), address, length);
    }

    @Override
    long sendQueued() {
        IoScratch scratch = loop.scratch();
        return calls.writev(fd(), scratch.iovecs, queue.fill(scratch));
    }

    @Override
    boolean losesWrites() {
        return isClosing();
    }

    @Override
    void writeFailed(long ownedException) {
        queue.clear();
        countFailedWrite();
        fatal(ownedException, "Fatal write error on pipe transport");
    }

    /** asyncio's write pipe resumes its protocol when all is written, not at the low-water mark. */
    @Override
    void tellFlowControl() {
        if (queue.isEmpty()) {
            super.tellFlowControl();
        }
    }

    @Override
    void drained() {
        if (isClosing()) {
            finishClosing();
        }
    }
}
