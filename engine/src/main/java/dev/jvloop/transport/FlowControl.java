package dev.jvloop.transport;

import dev.jvloop.foreign.Memory;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;

/** Tells a protocol when to pause and to resume writing, by how much its transport has queued. */
final class FlowControl {
    private static final long DEFAULT_HIGH_WATER = 64 * 1024;

    private final EventLoop loop;
    private final long transport;
    private final long protocolSlot;
    private boolean paused;
    private long highWater = DEFAULT_HIGH_WATER;
    private long lowWater = DEFAULT_HIGH_WATER / 4;

    /**
     * @param transport borrowed reference to the Python half, which outlives this object
     * @param protocolSlot offset, in bytes, of the slot that holds its protocol
     */
    FlowControl(EventLoop loop, long transport, long protocolSlot) {
        this.loop = loop;
        this.transport = transport;
        this.protocolSlot = protocolSlot;
    }

    /** In bytes. */
    long lowWater() {
        return lowWater;
    }

    /** In bytes. */
    long highWater() {
        return highWater;
    }

    void setWaterMarks(long low, long high) {
        lowWater = low;
        highWater = high;
    }

    /** Calls {@code pause_writing} if more than the high-water mark is queued. */
    void afterQueuing(long queuedByteCount) {
        if (!paused && queuedByteCount > highWater) {
            paused = true;
            call(Names.PAUSE_WRITING);
        }
    }

    /** Calls {@code resume_writing} if no more than the low-water mark is queued. */
    void afterSending(long queuedByteCount) {
        if (paused && queuedByteCount <= lowWater) {
            paused = false;
            call(Names.RESUME_WRITING);
        }
    }

    private void call(long method) {
        long protocol = Memory.getLong(transport + protocolSlot);
        Calls.run(TransportHelpers.CALL_PROTOCOL, loop.self(), transport, protocol, method);
    }
}
