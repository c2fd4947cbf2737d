package dev.jvloop.host;

import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.Futures;
import dev.jvloop.loop.Inbox;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/** A coroutine that waits, in a future, until a Java thread wakes it. */
class LoopWaiter implements Inbox.Entry {
    private final EventLoop loop;
    private final Inbox inbox;
    /** 0 once it was given back. The loop's thread only. */
    private long ownedFuture;

    /**
     * The loop's thread.
     *
     * @param pythonLoop a {@code jvloop.Loop}, which runs
     */
    LoopWaiter(long pythonLoop, long future) {
        loop = EngineObject.of(pythonLoop);
        inbox = loop.inbox();
        ownedFuture = Refs.incref(future);
    }

    /**
     * Ends the wait. Any thread, once.
     *
     * @return false if nobody can: the loop is closed
     */
    public final boolean wake() {
        return inbox.put(this);
    }

    @Override
    public final void run() {
        if (ownedFuture == 0) {
            return;
        }
        try {
            Futures.wake(loop.scratch(), ownedFuture);
        } catch (PythonError e) {
            PyErr.writeUnraisable(ownedFuture);
        }
        forget();
    }

    @Override
    public void reject() {
        forget();
    }

    /** Nobody waits any more. The loop's thread. */
    final void forget() {
        long owned = ownedFuture;
        ownedFuture = 0;
        Refs.decrefOrNull(owned);
    }
}
