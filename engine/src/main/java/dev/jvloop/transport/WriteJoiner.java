package dev.jvloop.transport;

import dev.jvloop.capi.Version;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;

/**
 * Keeps what is written to one stream, to send it a little later: with what the same callback writes next, or with what
 * the next callbacks write to other streams ({@link dev.jvloop.loop.BatchEnd} says why).
 *
 * <p>A send over a connection within the machine costs 5 us, a packet included, and HTTP servers write the head of an
 * answer and its body one by one: without the second send, uvicorn takes 22 us of CPU time for a request instead of 27.
 * So a transport that got several pieces in one callback keeps those of the next one until that one's end; where only
 * one comes, it goes back to sending at once. Every other method of the transport first sends what is kept, so that a
 * program that asks finds it sent; but for {@code is_closing} in a batch, which streams and HTTP servers ask after each
 * write. Not without a GIL: some of those methods may be called by any thread there.
 */
final class WriteJoiner implements Runnable {
    /** In bytes. More is not kept: there a system call more costs little. */
    private static final long MOST_KEPT = 32 * 1024;
    /** In pieces: one system call takes all. */
    private static final int MOST_PIECES = IoScratch.MAX_IOVECS;

    private final EventLoop loop;
    private final StreamTransport transport;
    /** The number of the callback that wrote last, at once. */
    private long lastCallback = -1;

    private boolean joins;
    private int keptCount;
    private boolean awaitsEnd;
    private boolean awaitsBatchEnd;

    WriteJoiner(EventLoop loop, StreamTransport transport) {
        this.loop = loop;
        this.transport = transport;
    }

    /** Whether this write of {@code length} bytes, more than 0, is to be queued until {@link #run}. */
    boolean keeps(long length) {
        if (Version.FREE_THREADED) {
            return false;
        }
        boolean untilBatchEnd = loop.batchEnd().takesWrite();
        if (!untilBatchEnd && !joins) {
            long callback = loop.callbackEnd().callbackNumber();
            joins = callback == lastCallback;
            lastCallback = callback;
            return false;
        }
        if (keptCount == 0 && !transport.isDrained()
                || keptCount == MOST_PIECES
                || transport.isClosing()
                || transport.bufferedByteCount() + length > Math.min(MOST_KEPT, transport.flowControl.highWater())
                || !loop.isInCallback()) {
            return false;
        }
        keptCount++;
        if (!awaitsEnd) {
            awaitsEnd = true;
            awaitsBatchEnd = untilBatchEnd;
            if (untilBatchEnd) {
                loop.batchEnd().await(this);
            } else {
                loop.callbackEnd().await(this);
            }
        }
        return true;
    }

    boolean isKeeping() {
        return keptCount != 0;
    }

    /** Whether it is keeping something until the end of the batch. */
    boolean isKeepingForBatch() {
        return keptCount != 0 && awaitsBatchEnd;
    }

    /** What was kept is being sent. */
    void release() {
        joins = keptCount > 1;
        keptCount = 0;
    }

    /** The callback, or the batch, has ended. */
    @Override
    public void run() {
        awaitsEnd = false;
        transport.endReached();
    }
}
