package dev.jvloop.transport;

import dev.jvloop.loop.EventLoop;

/**
 * Stops watching a stream whose reading was paused, by the loop's next poll: one that is resumed before costs no system
 * call. A reader that gets more than it wants pauses in {@code data_received}, and its task, which runs before the next
 * poll, takes what is there and resumes: {@code asyncio.StreamReader} does so for each 128 KiB of an upload.
 */
final class LatePause implements Runnable {
    private final EventLoop loop;
    private final StreamTransport transport;
    private boolean awaitsPoll;
    private boolean missedEvent;

    LatePause(EventLoop loop, StreamTransport transport) {
        this.loop = loop;
        this.transport = transport;
    }

    /** Has the poller told before its next poll, unless there is nothing to tell it then. */
    void awaitPoll() {
        if (!awaitsPoll) {
            awaitsPoll = true;
            loop.beforePoll().add(this);
        }
    }

    /** An event was fetched before the pause, and not served: the poller may not report it again. */
    void missEvent() {
        missedEvent = true;
    }

    /** Reading goes on, and the descriptor is watched. */
    void resumed() {
        if (missedEvent) {
            missedEvent = false;
            loop.poller().readAgain(transport.fd());
        }
    }

    @Override
    public void run() {
        awaitsPoll = false;
        transport.updateInterest();
        missedEvent = false;
    }
}
