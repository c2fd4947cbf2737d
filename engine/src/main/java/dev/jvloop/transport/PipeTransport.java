package dev.jvloop.transport;

import dev.jvloop.capi.Contexts;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Memory;
import dev.jvloop.linux.FdHandler;
import dev.jvloop.linux.PipeCalls;
import dev.jvloop.linux.Poller;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.ReferenceHolder;
import dev.jvloop.py.Calls;
import dev.jvloop.py.ContextSwitch;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/**
 * What the Java halves of {@code jvloop.ReadPipeTransport} and {@code jvloop.WritePipeTransport} have in common: the
 * descriptor, its registration, and the way into the transport's context.
 *
 * <p>A program may give one descriptor to both, say the master side of a pseudo-terminal, but a poller has one handler
 * for a descriptor. The one that registers second then watches a duplicate: epoll keeps the two apart, and they mean
 * the same open file.
 *
 * <p>As on asyncio, an exception of the protocol goes to the loop's exception handler and the transport goes on.
 */
abstract class PipeTransport implements FdHandler, ReferenceHolder {
    final EventLoop loop;
    final PipeCalls calls;
    /** Borrowed but while {@link #interest} is not 0. */
    final long self;

    private final PipeLayout layout;
    private int fd;
    /** The descriptor that the poller knows: {@link #fd} or a duplicate. */
    private int watchedFd;

    private int interest;
    private boolean started;
    private boolean closing;
    private boolean connectionLostScheduled;

    PipeTransport(EventLoop loop, long self, int fd, PipeLayout layout) {
        this.loop = loop;
        this.calls = new PipeCalls(loop.calls());
        this.self = self;
        this.fd = fd;
        this.watchedFd = fd;
        this.layout = layout;
    }

    /** What the poller is to watch for now: {@link Poller#READ} | {@link Poller#WRITE}. */
    abstract int wantedInterest();

    /** Serves what is ready, in the transport's context. */
    abstract void serve(int events);

    final int fd() {
        return fd;
    }

    final boolean isStarted() {
        return started;
    }

    final boolean isClosing() {
        return closing;
    }

    final boolean isLost() {
        return connectionLostScheduled;
    }

    final long protocol() {
        return Memory.getLong(self + layout.protocol);
    }

    // ---- registration ----

    /** Begins to watch: after {@code connection_made} was called. */
    final void start() {
        started = true;
        updateInterest();
    }

    /** Brings the poller up to what this transport is ready to handle. */
    final void updateInterest() {
        int wanted = connectionLostScheduled || !started ? 0 : wantedInterest();
        if (wanted == interest) {
            return;
        }
        if (wanted == 0) {
            interest = 0;
            stopWatching();
            Refs.decref(self);
            return;
        }
        if (interest == 0) {
            avoidForeignHandler();
        }
        int result = loop.poller().watch(watchedFd, wanted, this);
        if (result < 0) {
            stopWatching();
            throw PyErr.raiseOsError(-result);
        }
        if (interest == 0) {
            Refs.incref(self);
        }
        interest = wanted;
    }

    private void avoidForeignHandler() {
        FdHandler handler = loop.poller().handlerOrNull(fd);
        if (handler != null && handler != this && loop.poller().interest(fd) != 0) {
            long ownedNumber = Calls.newResult(PipeHelpers.DUPLICATE, Calls.integer(fd));
            watchedFd = (int) Longs.PyLong_AsLongLong(ownedNumber);
            Refs.decref(ownedNumber);
        }
    }

    private void stopWatching() {
        if (loop.poller().handlerOrNull(watchedFd) == this) {
            loop.poller().unwatch(watchedFd);
        }
        if (watchedFd != fd) {
            loop.calls().close(watchedFd);
            watchedFd = fd;
        }
    }

    /** What is read from now on runs in a copy of the caller's context, as after asyncio's {@code resume_reading}. */
    final void takeCallersContext() {
        Refs.setSlot(self, layout.context, PyErr.checked(Contexts.PyContext_CopyCurrent()));
    }

    // ---- events ----

    @Override
    public final void onReady(int events) {
        Refs.incref(self);
        boolean debug = loop.isDebug();
        double before = debug ? loop.time() : 0;
        try {
            serveInContext(events);
            if (debug) {
                logIfSlow(before);
            }
        } finally {
            PyErr.preserving(() -> Refs.decref(self));
        }
    }

    private void logIfSlow(double before) {
        Calls.run(TransportHelpers.LOG_IF_SLOW, loop.self(), self, new Calls.Owned(Py.newFloat(loop.time() - before)));
    }

    private void serveInContext(int events) {
        long ownedContext = Refs.newFromSlotOrNull(self, layout.context);
        if (!ContextSwitch.enter(ownedContext)) {
            Refs.decref(ownedContext);
            throw PythonError.SET;
        }
        long ownedException = 0;
        try {
            serve(events);
        } catch (PythonError e) {
            ownedException = PyErr.newTaken();
        }
        ContextSwitch.leave(ownedContext);
        Refs.decref(ownedContext);
        if (ownedException == 0) {
            return;
        }
        if (PyErr.endsLoop(ownedException)) {
            throw PyErr.raiseOwned(ownedException);
        }
        Calls.run(PipeHelpers.CALLBACK_FAILED, loop.self(), self, new Calls.Owned(ownedException));
    }

    /** Ends the transport with an error of the kernel's. */
    final void fatal(int errno, String message) {
        fatal(PyErr.newOsError(errno), message);
    }

    /** Ends the transport with an exception. */
    final void fatal(long ownedException, String message) {
        Calls.run(PipeHelpers.FATAL_ERROR, self, new Calls.Owned(ownedException), Calls.string(message));
    }

    // ---- the end ----

    /** Notes that no more is to be written or delivered. */
    final void noteClosing() {
        closing = true;
    }

    /**
     * Ends the watch for good.
     *
     * @return whether this is the first time, so that the caller has to see to {@code connection_lost}
     */
    boolean end() {
        closing = true;
        if (connectionLostScheduled) {
            return false;
        }
        connectionLostScheduled = true;
        updateInterest();
        return true;
    }

    /** Gives the descriptor up: nothing is registered for it any more. */
    void detach() {
        end();
        fd = -1;
        watchedFd = -1;
    }

    @Override
    public final void visitReferences(LongConsumer visit) {
        if (interest != 0) {
            visit.accept(self);
        }
    }

    @Override
    public final void releaseReferences() {
        if (interest != 0) {
            interest = 0;
            Refs.decref(self);
        }
    }
}
