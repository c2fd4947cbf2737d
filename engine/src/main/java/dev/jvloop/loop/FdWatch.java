package dev.jvloop.loop;

import dev.jvloop.linux.Errno;
import dev.jvloop.linux.FdHandler;
import dev.jvloop.linux.Poller;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/** The reader and the writer callback that a program set on one file descriptor ({@code add_reader}). */
public final class FdWatch implements FdHandler, ReferenceHolder {
    private final EventLoop loop;
    private final int fd;
    private long ownedReader;
    private long ownedWriter;

    private FdWatch(EventLoop loop, int fd) {
        this.loop = loop;
        this.fd = fd;
    }

    /**
     * Sets the callback of one direction, {@link Poller#READ} or {@link Poller#WRITE}; a former one is cancelled.
     *
     * @throws dev.jvloop.py.PythonError OSError if the descriptor cannot be watched; nothing has changed then
     */
    static void set(EventLoop loop, int fd, int direction, long handle) {
        FdWatch watch = loop.poller().handlerOrNull(fd) instanceof FdWatch found ? found : new FdWatch(loop, fd);
        int result = loop.poller().watch(fd, watch.interest() | direction, watch);
        if (result < 0) {
            watch.forgetIfClosed(-result);
            throw PyErr.raiseOsError(-result);
        }
        watch.replace(direction, Refs.incref(handle));
    }

    /**
     * Takes the callback of one direction away and cancels it.
     *
     * @return whether there was one
     */
    static boolean remove(EventLoop loop, int fd, int direction) {
        if (!(loop.poller().handlerOrNull(fd) instanceof FdWatch watch)) {
            return false;
        }
        int rest = watch.interest() & ~direction;
        if (rest == 0) {
            loop.poller().unwatch(fd);
        } else if (rest != watch.interest()) {
            loop.poller().watch(fd, rest, watch);
        }
        return watch.replace(direction, 0);
    }

    private int interest() {
        return (ownedReader != 0 ? Poller.READ : 0) | (ownedWriter != 0 ? Poller.WRITE : 0);
    }

    private boolean replace(int direction, long ownedHandle) {
        long ownedBefore;
        if (direction == Poller.READ) {
            ownedBefore = ownedReader;
            ownedReader = ownedHandle;
        } else {
            ownedBefore = ownedWriter;
            ownedWriter = ownedHandle;
        }
        if (ownedBefore == 0) {
            return false;
        }
        if (loop.isDebug()) {
            long ownedCancel = Py.newAttribute(ownedBefore, Names.CANCEL);
            Calls.run(ownedCancel);
            Refs.decref(ownedCancel);
        } else {
            Handles.cancel(ownedBefore);
        }
        Refs.decref(ownedBefore);
        return true;
    }

    private void forgetIfClosed(int errno) {
        if (errno == Errno.EBADF) {
            loop.poller().unwatch(fd);
            releaseReferences();
        }
    }

    @Override
    public void onReady(int events) {
        if ((events & Poller.READ) != 0 && ownedReader != 0) {
            loop.addCallback(ownedReader);
        }
        if ((events & Poller.WRITE) != 0 && ownedWriter != 0) {
            loop.addCallback(ownedWriter);
        }
    }

    @Override
    public void visitReferences(LongConsumer visit) {
        if (ownedReader != 0) {
            visit.accept(ownedReader);
        }
        if (ownedWriter != 0) {
            visit.accept(ownedWriter);
        }
    }

    @Override
    public void releaseReferences() {
        long reader = ownedReader;
        long writer = ownedWriter;
        ownedReader = 0;
        ownedWriter = 0;
        Refs.decrefOrNull(reader);
        Refs.decrefOrNull(writer);
    }
}
