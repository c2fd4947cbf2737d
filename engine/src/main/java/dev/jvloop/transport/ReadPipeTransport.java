package dev.jvloop.transport;

import dev.jvloop.linux.Errno;
import dev.jvloop.linux.PipeCalls;
import dev.jvloop.linux.Poller;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;

/** The Java half of a {@code jvloop.ReadPipeTransport}: reads a pipe, FIFO, socket or character device. */
final class ReadPipeTransport extends PipeTransport {
    private static final class PipeReadBuffer extends ReadBuffer {
        private final PipeCalls calls;

        PipeReadBuffer(EventLoop loop, PipeCalls calls) {
            super(loop);
            this.calls = calls;
        }

        @Override
        long fetch(int fd, long address, long length) {
            return calls.read(fd, address, length);
        }
    }

    private final ReadBuffer reader;
    private boolean paused;

    ReadPipeTransport(EventLoop loop, long self, int fd) {
        super(loop, self, fd, PipeLayout.READ);
        this.reader = new PipeReadBuffer(loop, calls);
    }

    static ReadPipeTransport of(long transport) {
        return (ReadPipeTransport) PipeLayout.READ.halfOf(transport);
    }

    @Override
    int wantedInterest() {
        return isReading() ? Poller.READ : 0;
    }

    boolean isReading() {
        return !paused && !isClosing();
    }

    void pauseReading() {
        paused = true;
        updateInterest();
    }

    void resumeReading() {
        paused = false;
        takeCallersContext();
        updateInterest();
    }

    @Override
    void serve(int events) {
        if (!isReading()) {
            return;
        }
        long result = reader.receive(fd());
        if (result > 0) {
            long ownedData = reader.takeOwnedBytes();
            long ownedResult = loop.scratch().callMethod(protocol(), Names.DATA_RECEIVED, ownedData);
            Refs.decref(ownedData);
            Refs.decref(PyErr.checked(ownedResult));
        } else if (result == 0) {
            end();
            Calls.run(PipeHelpers.REACHED_EOF, self);
        } else if (result != -Errno.EAGAIN && result != -Errno.EINTR) {
            fatal((int) -result, "Fatal read error on pipe transport");
        }
    }
}
