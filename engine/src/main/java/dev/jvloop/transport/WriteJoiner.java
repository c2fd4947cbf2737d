package dev.jvloop.transport;

import dev.jvloop.capi.Version;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;

/**
 * Joins what one callback writes in several pieces to one stream into one system call.
 *
 * <p>A send over a connection within the machine costs 5 us, a packet included, and HTTP servers write the head of an
 * answer and its body one by one: without the second send, uvicorn takes 22 us of CPU time for a request instead of 27.
 * So a transport that got several pieces in one callback keeps those of the next one until that one's end; where only
 * one comes, it goes back to sending at once. Every other method of the transport first sends what is kept, so that a
 * program that asks finds it sent. Not without a GIL: some of those methods may be called by any thread there.
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

    WriteJoiner(EventLoop loop, StreamTransport transport) {
        this.loop = loop;
        this.transport = transport;
    }

    /** Whether this write of {@code length} bytes, more than 0, is to be queued until {@link #run}. */
    boolean keeps(long length) {
        if (!joins) {
            long callback = loop.callbackEnd().callbackNumber();
            joins = callback == lastCallback && !Version.FREE_THREADED;
            lastCallback = callback;
            return false;
        }
        if (keptCount == 0 && !transport.isDrained()
                || keptCount == MOST_PIECES
                || transport.isClosing()
                || transport.bufferedByteCount() + length > MOST_KEPT
                || !loop.isInCallback()) {
            return false;
        }
        keptCount++;
        if (!awaitsEnd) {
            awaitsEnd = true;
            loop.callbackEnd().await(this);
        }
        return true;
    }

    boolean isKeeping() {
        return keptCount != 0;
    }

    /** What was kept is being sent. */
    void release() {
        joins = keptCount > 1;
        keptCount = 0;
    }

    /** The callback has ended. */
    @Override
    public void run() {
        awaitsEnd = false;
        transport.callbackEnded();
    }
}
