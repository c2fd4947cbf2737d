package dev.jvloop.host;

import dev.jvloop.PyException;
import dev.jvloop.loop.Inbox;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Gil;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;

/**
 * A coroutine on its way from Java to a loop, its task, and the future of its result: all three, so that a round trip
 * needs one object.
 */
final class Submission<T> extends LoopFuture<T> implements Inbox.Entry, TaskEnd.Listener {
    private final LongSupplier newAwaitable;
    private final Class<T> type;
    /** The task while it runs, else 0. The loop's thread only. */
    private long ownedTask;
    /** Whether Java has cancelled the task. The loop's thread only. */
    private boolean wasCancelled;
    /** Neighbours among the {@link Submissions}. */
    Submission<?> previous;

    Submission<?> next;

    /**
     * @param newAwaitable gives a new reference to what the task runs, in Python on the loop's thread
     * @param type what the result is converted to
     */
    Submission(HostLoop loop, LongSupplier newAwaitable, Class<T> type) {
        super(loop);
        this.newAwaitable = newAwaitable;
        this.type = type;
    }

    // ---- on the loop's thread

    /** Starts the task. */
    @Override
    public void run() {
        // A program may have no other way into Python than this.
        loop.interpreter().releaseClosed();
        if (isDone()) {
            return;
        }
        try {
            start();
        } catch (PythonError e) {
            fail(loop.interpreter().failures().of(PyErr.newTaken()));
        } catch (RuntimeException | Error e) {
            fail(e);
        }
    }

    private void start() {
        long ownedValue = newAwaitable.getAsLong();
        Owned.releasing(ownedValue, () -> {
            ownedTask = Calls.newResult(
                    HostNames.START_TASK, loop.pythonLoop(), ownedValue, new Calls.Owned(TaskEnd.newCallback(this)));
            if (ownedTask == Py.NONE) {
                Refs.decref(ownedTask);
                ownedTask = 0;
                finish(loop.interpreter().cast(ownedValue, type));
            } else {
                loop.add(this);
            }
            return null;
        });
    }

    /** The task is done. */
    @Override
    public void done(long task) {
        forgetTask();
        if (isDone()) {
            // Java has ended it. What the task raised all the same, asyncio reports, since nobody asks for it.
            return;
        }
        try {
            long ownedResult = Calls.newMethodResult(task, HostNames.RESULT);
            finish(Owned.releasing(ownedResult, () -> loop.interpreter().cast(ownedResult, type)));
        } catch (PythonError e) {
            taskFailed();
        } catch (RuntimeException | Error e) {
            // The result is no such value.
            fail(e);
        }
    }

    private void taskFailed() {
        long ownedException = PyErr.newTaken();
        if (HostNames.isCancelledError(ownedException)) {
            Refs.decref(ownedException);
            releasingGilFor(() -> super.cancel(false));
        } else {
            fail(loop.interpreter().failures().of(ownedException));
        }
    }

    private void forgetTask() {
        if (ownedTask != 0) {
            loop.remove(this);
            Refs.decref(ownedTask);
            ownedTask = 0;
        }
    }

    private void finish(T value) {
        releasingGilFor(() -> super.complete(value));
    }

    private void fail(Throwable exception) {
        if (exception instanceof PyException e) {
            // Of Java's frames there are only those of the loop.
            e.setCallers(new StackTraceElement[0]);
        }
        releasingGilFor(() -> super.completeExceptionally(exception));
    }

    /** Completing runs the stages that depend on this; they may do anything, so not with the GIL. */
    private void releasingGilFor(Runnable completion) {
        if (getNumberOfDependents() == 0) {
            completion.run();
            return;
        }
        Gil.without(() -> {
            completion.run();
            return null;
        });
    }

    boolean wasCancelled() {
        return wasCancelled;
    }

    private void cancelTask() {
        if (ownedTask == 0) {
            return;
        }
        wasCancelled = true;
        try {
            Refs.decref(Calls.newMethodResult(ownedTask, Names.CANCEL));
        } catch (PythonError e) {
            PyErr.writeUnraisable(ownedTask);
        }
    }

    /** The loop has ended without this. */
    @Override
    public void reject() {
        forgetTask();
        super.completeExceptionally(
                new RejectedExecutionException("the loop \"" + loop.name() + "\" was closed before this was done"));
    }

    // ---- by any thread: Java ends what it waited for

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        return hasEndedHere(super.cancel(mayInterruptIfRunning));
    }

    @Override
    public boolean complete(T value) {
        return hasEndedHere(super.complete(value));
    }

    @Override
    public boolean completeExceptionally(Throwable exception) {
        return hasEndedHere(super.completeExceptionally(exception));
    }

    private boolean hasEndedHere(boolean ended) {
        if (ended) {
            loop.post(new Inbox.Entry() {
                @Override
                public void run() {
                    cancelTask();
                }

                @Override
                public void reject() {
                    // The loop cancelled the task as it ended.
                }
            });
        }
        return ended;
    }
}
