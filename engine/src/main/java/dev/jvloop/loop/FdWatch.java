package dev.jvloop.loop;

import dev.jvloop.linux.Errno;
import dev.jvloop.linux.FdHandler;
import dev.jvloop.linux.Poller;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/**
 * Who waits for one file descriptor: for each direction nobody, a handle ({@code add_reader}, called back as long as it
 * is set), or a waiter (a future of a {@code sock_*} operation, woken once).
 */
public final class FdWatch implements FdHandler, ReferenceHolder {
    /** One direction. */
    private static final class Side {
        long ownedHandleOrWaiter;
        boolean isWaiter;
        /** The poller's {@link Poller#fetchCount} when it was set. */
        long setSince;

        boolean isEmpty() {
            return ownedHandleOrWaiter == 0;
        }
    }

    private final EventLoop loop;
    private final int fd;
    private final Side reader = new Side();
    private final Side writer = new Side();
    private final BytesReceiver receiver;
    /** The iteration in which {@link #noteEmptied} was called last. */
    private long emptiedIn = -1;

    private FdWatch(EventLoop loop, int fd) {
        this.loop = loop;
        this.fd = fd;
        this.receiver = new BytesReceiver(loop);
    }

    /** What watches a descriptor, or watched it last; null if nothing has, or something else does. */
    static FdWatch ofOrNull(EventLoop loop, int fd) {
        return loop.poller().handlerOrNull(fd) instanceof FdWatch watch ? watch : null;
    }

    /** For {@code sock_recv}. */
    BytesReceiver receiver() {
        return receiver;
    }

    /** Notes that all that the descriptor had was read. */
    void noteEmptied() {
        emptiedIn = loop.iterationCount();
    }

    /** Whether {@link #noteEmptied} was called in this iteration of the loop. */
    boolean wasEmptiedJustNow() {
        return emptiedIn == loop.iterationCount();
    }

    /**
     * Sets the callback of one direction, {@link Poller#READ} or {@link Poller#WRITE}; a former one is cancelled.
     *
     * @throws PythonError OSError if the descriptor cannot be watched, TypeError if it is no handle; nothing has changed
     *     then
     */
    static void setHandle(EventLoop loop, int fd, int direction, long handle) {
        Handles.check(handle);
        of(loop, fd).set(direction, handle, false);
    }

    /** Has a future woken when the descriptor is ready next; otherwise as {@link #setHandle}. */
    static void setWaiter(EventLoop loop, int fd, int direction, long future) {
        of(loop, fd).set(direction, future, true);
    }

    /**
     * {@link #setWaiter} of a new future.
     *
     * @return a new reference to it, or 0, with nothing done, where asyncio's own checks have to come first: it is not
     *     this loop that runs, the loop is a subclass with futures of its own, or somebody else uses the descriptor
     */
    static long newWaiterOrNull(EventLoop loop, int fd, int direction) {
        FdHandler handler = loop.poller().handlerOrNull(fd);
        boolean used = loop.ownerOrNull(fd) != null
                || handler != null && !(handler instanceof FdWatch watch && watch.hasWaitersOnly());
        if (used || loop.hasOwnScheduling()) {
            return 0;
        }
        long ownedFutureOrNull = Futures.newOrNull(loop);
        if (ownedFutureOrNull != 0) {
            try {
                setWaiter(loop, fd, direction, ownedFutureOrNull);
            } catch (PythonError e) {
                PyErr.preserving(() -> Refs.decref(ownedFutureOrNull));
                throw e;
            }
        }
        return ownedFutureOrNull;
    }

    private static FdWatch of(EventLoop loop, int fd) {
        FdWatch found = ofOrNull(loop, fd);
        return found == null ? new FdWatch(loop, fd) : found;
    }

    /**
     * Takes what is set for one direction away, and cancels it if it is a handle.
     *
     * @param waiterOrZero only if it is this waiter; 0 for whatever it is
     * @return whether there was something
     */
    static boolean remove(EventLoop loop, int fd, int direction, long waiterOrZero) {
        FdWatch watch = ofOrNull(loop, fd);
        if (watch == null) {
            return false;
        }
        Side side = watch.side(direction);
        if (side.isEmpty() || waiterOrZero != 0 && side.ownedHandleOrWaiter != waiterOrZero) {
            return false;
        }
        long ownedBefore = side.ownedHandleOrWaiter;
        boolean wasWaiter = side.isWaiter;
        side.ownedHandleOrWaiter = 0;
        watch.updateRegistration();
        watch.dismiss(ownedBefore, wasWaiter);
        return true;
    }

    private Side side(int direction) {
        return direction == Poller.READ ? reader : writer;
    }

    private void set(int direction, long handleOrWaiter, boolean isWaiter) {
        Side side = side(direction);
        long ownedBefore = side.ownedHandleOrWaiter;
        boolean wasWaiter = side.isWaiter;
        side.ownedHandleOrWaiter = handleOrWaiter;
        side.isWaiter = isWaiter;
        side.setSince = loop.poller().fetchCount();
        int result = register();
        if (result < 0) {
            side.ownedHandleOrWaiter = ownedBefore;
            side.isWaiter = wasWaiter;
            forgetIfClosed(-result);
            throw PyErr.raiseOsError(-result);
        }
        Refs.incref(handleOrWaiter);
        if (ownedBefore != 0) {
            dismiss(ownedBefore, wasWaiter);
        }
    }

    private int interest() {
        return (reader.isEmpty() ? 0 : Poller.READ) | (writer.isEmpty() ? 0 : Poller.WRITE);
    }

    private boolean hasWaitersOnly() {
        return (reader.isEmpty() || reader.isWaiter) && (writer.isEmpty() || writer.isWaiter);
    }

    private int register() {
        return hasWaitersOnly()
                ? loop.poller().watchOnce(fd, interest(), this)
                : loop.poller().watch(fd, interest(), this);
    }

    /** Tells the poller what is left to wait for. */
    private void updateRegistration() {
        if (interest() == 0) {
            loop.poller().unwatch(fd);
        } else {
            register();
        }
    }

    private void dismiss(long ownedHandleOrWaiter, boolean isWaiter) {
        if (!isWaiter && loop.isDebug()) {
            Refs.decref(Calls.newMethodResult(ownedHandleOrWaiter, Names.CANCEL));
        } else if (!isWaiter) {
            Handles.cancel(ownedHandleOrWaiter);
        }
        Refs.decref(ownedHandleOrWaiter);
    }

    private void forgetIfClosed(int errno) {
        if (errno == Errno.EBADF) {
            loop.poller().unwatch(fd);
            releaseReferences();
        }
    }

    @Override
    public void onReady(int events) {
        boolean reads = (events & Poller.READ) != 0 && isMeant(reader);
        boolean writes = (events & Poller.WRITE) != 0 && isMeant(writer);
        if (reads && reader.isWaiter || writes && writer.isWaiter) {
            wakeWaiters(reads, writes);
        }
        if (reads) {
            runHandle(reader);
        }
        if (writes) {
            runHandle(writer);
        }
    }

    /** Whether somebody waits, and did so already when the events were fetched. */
    private boolean isMeant(Side side) {
        return !side.isEmpty() && side.setSince != loop.poller().fetchCount();
    }

    private void wakeWaiters(boolean reads, boolean writes) {
        boolean silenced = loop.poller().interest(fd) == 0;
        try {
            if (reads && reader.isWaiter) {
                wake(reader);
            }
            if (writes && writer.isWaiter) {
                wake(writer);
            }
        } finally {
            // A registration for waiters alone is silent now, and may stay so when nobody is left to wait.
            if (!silenced || interest() != 0) {
                updateRegistration();
            }
        }
    }

    /** Wakes a waiter and takes it away. */
    private void wake(Side side) {
        long ownedWaiter = side.ownedHandleOrWaiter;
        side.ownedHandleOrWaiter = 0;
        try {
            Futures.wake(loop.scratch(), ownedWaiter);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedWaiter));
        }
    }

    /** Runs the callback of a side, unless the one before has taken it away or set another. */
    private void runHandle(Side side) {
        if (!side.isWaiter && isMeant(side)) {
            // Whatever it does: nobody knows whether it reads all, and what it writes.
            loop.poller().noteFollowed();
            loop.runHandle(Refs.incref(side.ownedHandleOrWaiter));
        }
    }

    @Override
    public void visitReferences(LongConsumer visit) {
        if (!reader.isEmpty()) {
            visit.accept(reader.ownedHandleOrWaiter);
        }
        if (!writer.isEmpty()) {
            visit.accept(writer.ownedHandleOrWaiter);
        }
    }

    @Override
    public void releaseReferences() {
        long ownedByReader = reader.ownedHandleOrWaiter;
        long ownedByWriter = writer.ownedHandleOrWaiter;
        reader.ownedHandleOrWaiter = 0;
        writer.ownedHandleOrWaiter = 0;
        Refs.decrefOrNull(ownedByReader);
        Refs.decrefOrNull(ownedByWriter);
    }
}
