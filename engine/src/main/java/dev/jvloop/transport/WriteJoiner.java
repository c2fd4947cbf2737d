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
 * program that asks finds it sent; but for {@code is_closing} where it is gathering more, which streams and HTTP servers
 * ask after each write, and for {@code resume_reading} where nothing is paused, which some of them call before they wait
 * for each request (sanic: 1.3 times less CPU time). Not without a GIL: some of those methods may be called by any thread
 * there.
 */
final class WriteJoiner implements Runnable {
    /** In bytes. Of a connection whose peer does not keep up, no more is kept. */
    static final long LITTLE = 32 * 1024;
    /**
     * In bytes. As long as the kernel takes all, what a callback writes is kept up to this in the end: sent by one
     * system call, 64 KiB take 12.5 us of CPU time; in calls of 256 KiB they take 14.5, in calls of 64 KiB 26.
     */
    private static final long LARGEST = 1024 * 1024;
    /** More than little waits only where the next piece comes fast, and not for longer. */
    private static final long LARGE_WAITS_NANOS = 500_000;
    /** In pieces: one system call takes all. */
    private static final int MOST_PIECES = IoScratch.MAX_IOVECS;

    private final EventLoop loop;
    private final StreamTransport transport;
    /** The number of the callback that wrote last, at once. */
    private long lastCallback = -1;

    private boolean joins;
    /** In pieces. */
    private int keptCount;
    /** With those of this callback, or batch, that were kept and are sent. */
    private int writeCount;

    private boolean keptForBatch;
    private long most = LITTLE;
    private long largeSinceNanos;

    private boolean awaitsCallbackEnd;
    private boolean awaitsBatchEnd;

    WriteJoiner(EventLoop loop, StreamTransport transport) {
        this.loop = loop;
        this.transport = transport;
    }

    /** Whether this write of {@code length} bytes, more than 0, is to be queued until {@link #run}. */
    boolean keeps(long length, int pieces) {
        if (Version.FREE_THREADED) {
            return false;
        }
        boolean mayWait = loop.batchEnd().takesWrite();
        return keptCount == 0 ? begins(length, pieces, mayWait && length <= LITTLE) : goesOn(length, pieces);
    }

    private boolean begins(long length, int pieces, boolean forBatch) {
        if (!forBatch && !joins) {
            long callback = loop.callbackEnd().callbackNumber();
            joins = callback == lastCallback;
            lastCallback = callback;
            return false;
        }
        if (length > mostOf(forBatch)
                || pieces > MOST_PIECES
                || !transport.isDrained()
                || transport.isClosing()
                || !loop.isInCallback()
                || length > LITTLE && !largeIsRecent(true)) {
            return false;
        }
        keptCount = pieces;
        writeCount++;
        keptForBatch = forBatch;
        if (forBatch && !awaitsBatchEnd) {
            awaitsBatchEnd = true;
            loop.batchEnd().await(this);
        } else if (!forBatch && !awaitsCallbackEnd) {
            awaitsCallbackEnd = true;
            loop.callbackEnd().await(this);
        }
        return true;
    }

    private boolean goesOn(long length, int pieces) {
        long size = transport.bufferedByteCount() + length;
        if (size > mostOf(keptForBatch)
                || keptCount + pieces > MOST_PIECES
                || transport.isClosing()
                || !loop.isInCallback()
                || size > LITTLE && !largeIsRecent(false)) {
            return false;
        }
        keptCount += pieces;
        writeCount++;
        return true;
    }

    /** In proportion to what the program wants to have buffered at most: 64 KiB if it does not say. */
    private long mostOf(boolean forBatch) {
        return Math.min(forBatch ? LITTLE : most, 16 * transport.flowControl.highWater());
    }

    /** Whether the last large piece, or the first that is kept, was written a moment ago. */
    private boolean largeIsRecent(boolean isFirst) {
        long now = System.nanoTime();
        boolean recent = now - largeSinceNanos <= LARGE_WAITS_NANOS;
        if (isFirst) {
            largeSinceNanos = now;
        }
        return recent;
    }

    boolean isKeeping() {
        return keptCount != 0;
    }

    /** Whether what it is keeping is to leave together with more: that of other streams, or of this one. */
    boolean isGathering() {
        return keptCount != 0 && (keptForBatch || transport.bufferedByteCount() > LITTLE);
    }

    /** What was kept is being sent. */
    void release() {
        joins = writeCount > 1;
        keptCount = 0;
    }

    /** Notes whether the kernel has taken what was sent, which is what may be kept next. */
    void noteSent(long length, boolean all) {
        if (!all) {
            most = LITTLE;
        } else if (length >= most / 2) {
            most = Math.min(2 * most, LARGEST);
        }
    }

    /** The callback, or the batch, has ended. Where it awaited both, the second comes to nothing. */
    @Override
    public void run() {
        awaitsCallbackEnd = false;
        awaitsBatchEnd = false;
        transport.endReached();
        writeCount = 0;
    }
}
