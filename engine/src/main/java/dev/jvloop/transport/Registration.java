package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.linux.FdHandler;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.Calls;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/**
 * What the poller knows of a transport. As long as it watches anything, the transport's Python half is kept alive.
 *
 * <p>A program may give one descriptor to two pipe transports, say the master side of a pseudo-terminal to one that
 * reads and one that writes, but a poller has one handler for a descriptor. The one that registers second then watches a
 * duplicate: epoll keeps the two apart, and they mean the same open file.
 */
final class Registration {
    private final EventLoop loop;
    private final FdHandler handler;
    /** The Python half: borrowed but while {@link #interest} is not 0. */
    private final long transport;

    private final int fd;
    private final boolean sharesFd;
    /** The descriptor that the poller knows: {@link #fd} or a duplicate. */
    private int watchedFd;

    private int interest;

    /** @param sharesFd whether another transport may watch the descriptor too */
    Registration(EventLoop loop, FdHandler handler, long transport, int fd, boolean sharesFd) {
        this.loop = loop;
        this.handler = handler;
        this.transport = transport;
        this.fd = fd;
        this.sharesFd = sharesFd;
        this.watchedFd = fd;
    }

    /** What the poller watches for: {@code Poller.READ | Poller.WRITE}. */
    int interest() {
        return interest;
    }

    /**
     * Has the poller watch for this and nothing else. With 0, the Python half may be gone when this returns.
     *
     * @throws dev.jvloop.py.PythonError OSError if the descriptor cannot be watched
     */
    void update(int wanted) {
        if (wanted == interest) {
            return;
        }
        if (wanted == 0) {
            interest = 0;
            stopWatching();
            Refs.decref(transport);
            return;
        }
        if (sharesFd && interest == 0) {
            avoidForeignHandler();
        }
        int result = loop.poller().watch(watchedFd, wanted, handler);
        if (result < 0) {
            if (interest == 0) {
                stopWatching();
            }
            throw PyErr.raiseOsError(-result);
        }
        if (interest == 0) {
            Refs.incref(transport);
        }
        interest = wanted;
    }

    private void avoidForeignHandler() {
        FdHandler other = loop.poller().handlerOrNull(fd);
        if (other != null && other != handler && loop.poller().interest(fd) != 0) {
            long ownedNumber = Calls.newResult(PipeHelpers.DUPLICATE, Calls.integer(fd));
            watchedFd = (int) Longs.PyLong_AsLongLong(ownedNumber);
            Refs.decref(ownedNumber);
        }
    }

    private void stopWatching() {
        if (loop.poller().handlerOrNull(watchedFd) == handler) {
            loop.poller().unwatch(watchedFd);
        }
        if (watchedFd != fd) {
            loop.calls().close(watchedFd);
            watchedFd = fd;
        }
    }

    void visitReferences(LongConsumer visit) {
        if (interest != 0) {
            visit.accept(transport);
        }
    }

    void releaseReferences() {
        if (interest != 0) {
            interest = 0;
            Refs.decref(transport);
        }
    }
}
