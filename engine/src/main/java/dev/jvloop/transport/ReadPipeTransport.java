package dev.jvloop.transport;

import dev.jvloop.linux.Errno;
import dev.jvloop.linux.PipeCalls;
import dev.jvloop.linux.Poller;
import dev.jvloop.loop.BytesReceiver;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;

/**
 * The Java half of a {@code jvloop.ReadPipeTransport}: reads a pipe, FIFO, socket or character device.
 *
 * <p>As on asyncio, an exception of the protocol goes to the loop's exception handler and the transport goes on.
 */
final class ReadPipeTransport extends BaseTransport {
    private static final class PipeReceiver extends BytesReceiver {
        private final PipeCalls calls;

        PipeReceiver(EventLoop loop) {
            super(loop);
            this.calls = new PipeCalls(loop.calls());
        }

        @Override
        protected long fetch(int fd, long address, long length) {
            return calls.read(fd, address, length);
        }
    }

    private final BytesReceiver reader;

    ReadPipeTransport(EventLoop loop, long self, int fd) {
        super(loop, self, TransportSlots.READ_PIPE, fd, true);
        this.reader = new PipeReceiver(loop);
    }

    static ReadPipeTransport of(long transport) {
        return (ReadPipeTransport) TransportSlots.READ_PIPE.halfOf(transport);
    }

    @Override
    int wantedInterest() {
        return isStarted() && isReading() ? Poller.READ : 0;
    }

    @Override
    void readReady() {
        if (!isReading()) {
            return;
        }
        long result = reader.receive(fd(), IoScratch.READ_SIZE);
        if (result > 0) {
            long ownedData = reader.takeOwnedBytes();
            long ownedResult = loop.scratch().callMethod(protocol(), Names.DATA_RECEIVED, ownedData);
            reader.giveBack(ownedData);
            Refs.decref(PyErr.checked(ownedResult));
        } else if (result == 0) {
            noteLost();
            updateInterest();
            Calls.run(PipeHelpers.REACHED_EOF, self);
        } else if (result != -Errno.EAGAIN && result != -Errno.EINTR) {
            fatal((int) -result, "Fatal read error on pipe transport");
        }
    }

    @Override
    void serveFailed(long ownedException) {
        callbackFailed(ownedException, "ReadPipeTransport._read_ready");
    }

    @Override
    void writeReady() {
        throw new IllegalStateException("not watched for");
    }

    @Override
    void dropQueued() {
        // Nothing is ever queued.
    }
}
