package dev.jvloop.loop;

import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.ThreadGuard;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Which thread runs a loop. In free-threaded Python a second one says which has it: the thread that runs it, or, while
 * it does not run, the one that is in a method of it or of its transports. Nobody waits for it: who comes second gets an
 * error, since asyncio's loops are not thread-safe either, or leaves what it has in the {@link Mailbox}.
 */
final class ThreadClaim implements ThreadGuard.Claim {
    private final AtomicReference<Thread> holder = new AtomicReference<>();

    /** Whether the calling thread has the loop. */
    boolean isMine() {
        return holder.get() == Thread.currentThread();
    }

    /**
     * Takes the loop for the calling thread.
     *
     * @return this, or null if the thread has it already
     * @throws PythonError RuntimeError if another thread has it
     */
    ThreadGuard.Claim takeOrNull() {
        if (isMine()) {
            return null;
        }
        if (!holder.compareAndSet(null, Thread.currentThread())) {
            throw PyErr.raise(
                    PyErr.RUNTIME_ERROR,
                    "Non-thread-safe operation invoked on an event loop other than the current one");
        }
        return this;
    }

    /** {@link #takeOrNull} that gives null too where another thread has the loop. */
    ThreadGuard.Claim takeIfFreeOrNull() {
        return holder.compareAndSet(null, Thread.currentThread()) ? this : null;
    }

    @Override
    public void release() {
        holder.set(null);
    }
}
