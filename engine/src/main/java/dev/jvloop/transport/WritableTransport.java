package dev.jvloop.transport;

import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;

/** What the Java halves of transports that can be written have in common: flow control, and a close that waits. */
abstract class WritableTransport extends BaseTransport {
    /** asyncio's sockets count their end as the first lost write, its pipes do not. */
    static final int LOST_WRITES_OF_SOCKETS = 1;

    static final int LOST_WRITES_OF_PIPES = 0;

    final FlowControl flowControl;
    private int lostWriteCount;

    /** @param lostWritesAtFirst how many lost writes asyncio counts before the first, for its warning */
    WritableTransport(EventLoop loop, long self, int fd, boolean sharesFd, int lostWritesAtFirst) {
        super(loop, self, TransportSlots.WRITABLE, fd, sharesFd);
        this.flowControl = new FlowControl(loop, self, TransportSlots.WRITABLE.protocol);
        this.lostWriteCount = lostWritesAtFirst;
    }

    static WritableTransport of(long transport) {
        WritableTransport half = (WritableTransport) TransportSlots.WRITABLE.halfOf(transport);
        half.sendKept();
        return half;
    }

    /** Sends what was kept to be sent later. */
    void sendKept() {}

    /** {@link #sendKept}, but for what is kept to leave together with much more. */
    void sendKeptUnlessGathering() {}

    /** Number of bytes that wait to be sent. */
    abstract long bufferedByteCount();

    /** Whether nothing waits to be sent. */
    abstract boolean isDrained();

    final void setWaterMarks(long low, long high) {
        flowControl.setWaterMarks(low, high);
        flowControl.afterQueuing(bufferedByteCount());
    }

    /** Counts a write that nobody will get, and warns of a program that does not stop. */
    final void noteLostWrite() {
        if (lostWriteCount >= TransportHelpers.LOST_WRITES_BEFORE_WARNING) {
            Calls.run(TransportHelpers.WARN_LOST_WRITE, self);
        }
        lostWriteCount++;
    }

    /** Counts a write that failed, as asyncio's pipes do. */
    final void countFailedWrite() {
        lostWriteCount++;
    }

    /** Closes once what is queued is sent. */
    final void close() {
        if (isClosing()) {
            return;
        }
        noteClosing();
        if (isDrained()) {
            noteLost();
            endLater(Py.NONE);
        } else {
            updateInterest();
        }
    }

    /** Goes on with {@link #close}, once what was queued is sent: {@code connection_lost} is called now. */
    final void finishClosing() {
        noteLost();
        updateInterest();
        TransportEnd.run(this, Py.NONE);
    }
}
