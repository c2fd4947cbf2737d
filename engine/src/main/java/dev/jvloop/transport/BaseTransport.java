package dev.jvloop.transport;

import dev.jvloop.capi.Contexts;
import dev.jvloop.foreign.Memory;
import dev.jvloop.linux.FdHandler;
import dev.jvloop.linux.Poller;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.ReferenceHolder;
import dev.jvloop.py.Calls;
import dev.jvloop.py.ContextSwitch;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import dev.jvloop.py.Scratch;
import java.util.function.LongConsumer;

/**
 * What the Java halves of all transports have in common: the descriptor and its registration, the way of an event into
 * the transport's context, errors, and the end.
 *
 * <p>The Python half holds every reference to a Python object in its slots, where the cyclic garbage collector sees
 * them; this half holds numbers and flags. While the descriptor is registered, this half keeps the Python half alive.
 */
abstract class BaseTransport implements FdHandler, ReferenceHolder {
    final EventLoop loop;
    /** Borrowed, but while the descriptor is registered. */
    final long self;

    private final TransportSlots slots;
    private final Registration registration;
    private final boolean sharesFd;
    private int fd;
    private boolean started;
    private boolean paused;
    private boolean closing;
    private boolean lost;

    /** @param sharesFd whether another transport may be given the descriptor too */
    BaseTransport(EventLoop loop, long self, TransportSlots slots, int fd, boolean sharesFd) {
        this.loop = loop;
        this.self = self;
        this.slots = slots;
        this.fd = fd;
        this.sharesFd = sharesFd;
        this.registration = new Registration(loop, this, self, fd, sharesFd);
    }

    /** What the poller is to watch for now, {@code Poller.READ | Poller.WRITE}. Not asked once {@link #isLost}. */
    abstract int wantedInterest();

    /**
     * Reads, in the transport's context.
     *
     * @throws PythonError SystemExit or KeyboardInterrupt out of a protocol, or what {@link #serveFailed} takes
     */
    abstract void readReady();

    /** Writes what is queued, in the transport's context; otherwise as {@link #readReady}. */
    abstract void writeReady();

    /** Takes over the exception that left one of these; by default it leaves the loop. */
    void serveFailed(long ownedException) {
        throw PyErr.raiseOwned(ownedException);
    }

    /** Forgets what was to be sent. */
    abstract void dropQueued();

    final int fd() {
        return fd;
    }

    final int interest() {
        return registration.interest();
    }

    final boolean isStarted() {
        return started;
    }

    final boolean isReading() {
        return !closing && !paused;
    }

    /** Whether {@code close()} or {@code abort()} was called, or an error has ended the transport. */
    final boolean isClosing() {
        return closing;
    }

    /** Whether {@code connection_lost} is due or was called. */
    final boolean isLost() {
        return lost;
    }

    final long slot(long offset) {
        return Memory.getLong(self + offset);
    }

    final long protocol() {
        return slot(slots.protocol);
    }

    /** Gives the Python half this Java half. */
    final void attach() {
        Refs.setSlot(self, slots.javaHalf, JavaReference.newFor(this));
        if (!sharesFd) {
            loop.setOwner(fd, this);
        }
    }

    // ---- registration ----

    /** Brings the poller up to what this transport is ready to handle. */
    final void updateInterest() {
        registration.update(lost ? 0 : wantedInterest());
    }

    /** Begins to read, or to watch: after {@code connection_made} was called. */
    final void start() {
        started = true;
        updateInterest();
    }

    /** @return whether it was reading until now */
    final boolean pause() {
        if (!isReading()) {
            return false;
        }
        pauseReading();
        return true;
    }

    /** @return whether it was paused until now */
    final boolean resume() {
        if (closing || !paused) {
            return false;
        }
        resumeReading();
        return true;
    }

    void pauseReading() {
        notePaused();
        updateInterest();
    }

    /** Nothing is delivered from now on. {@link #updateInterest} is to follow. */
    final void notePaused() {
        paused = true;
    }

    /** What is read from now on runs in a copy of the caller's context, as on asyncio. */
    void resumeReading() {
        paused = false;
        Refs.setSlot(self, slots.context, PyErr.checked(Contexts.PyContext_CopyCurrent()));
        updateInterest();
    }

    // ---- events ----

    @Override
    public void onReady(int events) {
        serve(events);
        loop.callbackEnd().reached();
    }

    /** Reads or writes in the transport's context. */
    final void serve(int events) {
        Refs.incref(self);
        try {
            if (loop.isDebug()) {
                serveInDebug(events);
            } else {
                serveInContext(events);
            }
        } catch (PythonError e) {
            PyErr.preserving(() -> Refs.decref(self));
            throw e;
        }
        Refs.decref(self);
    }

    /** {@link #serveInContext}, and a line in the log if it took long: asyncio's debug mode logs slow callbacks. */
    private void serveInDebug(int events) {
        double before = loop.time();
        serveInContext(events);
        Calls.run(TransportHelpers.LOG_IF_SLOW, loop.self(), self, new Calls.Owned(Py.newFloat(loop.time() - before)));
    }

    private void serveInContext(int events) {
        long ownedContext = Refs.newFromSlotOrNull(self, slots.context);
        if (!ContextSwitch.enter(ownedContext)) {
            Refs.decref(ownedContext);
            throw PythonError.SET;
        }
        long ownedException = 0;
        try {
            if ((events & Poller.READ) != 0) {
                readReady();
            }
            if ((events & Poller.WRITE) != 0) {
                writeReady();
            }
        } catch (PythonError e) {
            ownedException = PyErr.newTaken();
        }
        ContextSwitch.leave(ownedContext);
        Refs.decref(ownedContext);
        if (ownedException != 0) {
            serveFailed(ownedException);
        }
    }

    // ---- errors ----

    /** Ends the transport with the raised error; SystemExit and KeyboardInterrupt go on to the loop. */
    final void fatal(String message) {
        fatal(PyErr.newTaken(), message);
    }

    /** Ends the transport with an error of the kernel's. */
    final void fatal(int errno, String message) {
        fatal(PyErr.newOsError(errno), message);
    }

    /** Ends the transport with an exception; SystemExit and KeyboardInterrupt go on to the loop. */
    final void fatal(long ownedException, String message) {
        if (PyErr.endsLoop(ownedException)) {
            throw PyErr.raiseOwned(ownedException);
        }
        Calls.run(TransportHelpers.FATAL_ERROR, self, new Calls.Owned(ownedException), Calls.string(message));
    }

    /**
     * Hands what a protocol raised to the loop's exception handler, and the transport goes on; SystemExit and
     * KeyboardInterrupt go on to the loop.
     *
     * @param callback what raised it, for the message
     */
    final void callbackFailed(long ownedException, String callback) {
        if (PyErr.endsLoop(ownedException)) {
            throw PyErr.raiseOwned(ownedException);
        }
        Calls.run(
                TransportHelpers.CALLBACK_FAILED,
                loop.self(),
                self,
                new Calls.Owned(ownedException),
                Calls.string(callback));
    }

    // ---- the end ----

    /** Notes that no more is to be written or delivered. */
    final void noteClosing() {
        closing = true;
    }

    /** Ends I/O for good. {@link #updateInterest} and {@code connection_lost} are to follow. */
    final void noteLost() {
        closing = true;
        lost = true;
        dropQueued();
    }

    /** Closes now, and has {@code connection_lost} called; what is queued is lost. */
    final void forceClose(long exception) {
        if (!lost) {
            noteLost();
            endLater(exception);
        }
    }

    /** Has {@code connection_lost} called in the next iteration. */
    final void endLater(long exception) {
        Refs.incref(self);
        try {
            updateInterest();
            scheduleConnectionLost(exception);
        } finally {
            PyErr.preserving(() -> Refs.decref(self));
        }
    }

    private void scheduleConnectionLost(long exception) {
        if (loop.needsChecks()) {
            Calls.run(TransportHelpers.SCHEDULE_CONNECTION_LOST, self, exception);
            return;
        }
        long ownedMethod = Py.newAttribute(self, Names.CALL_CONNECTION_LOST);
        try (Scratch.Piece argument = Scratch.take(8)) {
            Memory.putLong(argument.address(), exception);
            loop.callSoon(ownedMethod, argument.address(), 1, 0);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedMethod));
        }
    }

    /** Has the descriptor closed, by the Python half if nothing else is said, and tells whoever waits for that. */
    void abandon() {
        Refs.decref(Calls.newMethodResult(self, Names.ABANDON));
    }

    final void forgetProtocolAndLoop() {
        Refs.setSlot(self, slots.protocol, Py.newNone());
        Refs.setSlot(self, slots.loop, Py.newNone());
    }

    /**
     * Gives the descriptor up: nothing is registered for it any more.
     *
     * @return the descriptor, which the caller closes, or -1 if it was given up before
     */
    int detach() {
        int detached = fd;
        if (fd >= 0 && !sharesFd) {
            loop.setOwner(fd, null);
        }
        fd = -1;
        noteLost();
        updateInterest();
        return detached;
    }

    @Override
    public final void visitReferences(LongConsumer visit) {
        registration.visitReferences(visit);
        if (registration.interest() != 0) {
            visitQueued(visit);
        }
    }

    /** Shows the references that only this half holds. */
    void visitQueued(LongConsumer visit) {}

    @Override
    public final void releaseReferences() {
        registration.releaseReferences();
    }
}
