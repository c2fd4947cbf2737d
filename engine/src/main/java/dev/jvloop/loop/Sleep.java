package dev.jvloop.loop;

import dev.jvloop.capi.Version;
import dev.jvloop.linux.Poller;
import dev.jvloop.py.Gil;

/**
 * Whether somebody waits on a loop's poller, the loop itself or a program that drives it from outside, and what ends the
 * wait.
 *
 * <p>Who has the GIL looks at one flag. Without a GIL the {@link Mailbox} knows, and Java threads, which need not be in
 * Python, look at the {@link Inbox}.
 */
final class Sleep {
    private final Poller poller;
    /** Null with a GIL. */
    private final Mailbox mailboxOrNull;
    /** Null until somebody wants it. */
    private Inbox inboxOrNull;

    private boolean asleep;
    private boolean closed;

    Sleep(Poller poller, Mailbox mailboxOrNull) {
        this.poller = poller;
        this.mailboxOrNull = mailboxOrNull;
    }

    /** Where Java threads leave what this loop is to run, which wakes it. */
    Inbox inbox() {
        if (inboxOrNull == null) {
            inboxOrNull = new Inbox(poller);
        }
        return inboxOrNull;
    }

    Inbox inboxOrNull() {
        return inboxOrNull;
    }

    boolean isAsleep() {
        return asleep;
    }

    void setAsleep(boolean value) {
        asleep = value;
        if (Version.FREE_THREADED) {
            mailboxOrNull.setAsleep(value);
        }
        if (inboxOrNull != null) {
            inboxOrNull.setAsleep(value);
        }
    }

    /** Ends the wait. Any thread that holds the GIL, or would. */
    void wake() {
        if (Version.FREE_THREADED) {
            mailboxOrNull.wake(poller);
        } else if (asleep && !closed) {
            asleep = false;
            poller.wakeup();
        }
    }

    /**
     * Waits for I/O without the GIL, unless there is something to run instead.
     *
     * @return how many events there are to dispatch; a negative number if the wait failed
     */
    int untilIo(EventLoop loop, long timeoutNanos) {
        asleep = true;
        // Another thread may have called stop() just now, and found nobody to wake.
        boolean stays = !Version.FREE_THREADED || mailboxOrNull.fallAsleep() && !loop.isStopping();
        if (!stays || inboxOrNull != null && !inboxOrNull.fallAsleep()) {
            setAsleep(false);
            return 0;
        }
        long threadState = Gil.release();
        int count;
        try {
            count = poller.awaitQuietly(timeoutNanos);
        } finally {
            Gil.acquire(threadState);
            setAsleep(false);
        }
        return count;
    }

    /** Wakes nobody any more: the descriptors are about to be closed. Java threads' entries are rejected. */
    void close() {
        closed = true;
        if (Version.FREE_THREADED) {
            mailboxOrNull.close();
        }
        if (inboxOrNull != null) {
            inboxOrNull.close();
        }
    }
}
