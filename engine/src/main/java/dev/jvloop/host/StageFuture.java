package dev.jvloop.host;

import dev.jvloop.capi.Objects;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.Inbox;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Gil;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.lang.ref.WeakReference;
import java.util.concurrent.CompletionStage;

/**
 * An asyncio future that is done when a stage is: in the thread of its loop, whatever thread completes the stage.
 *
 * <p>Who refers to whom: the stage to this, this to the future, the future to the stage, to cancel it. The last one is weak,
 * since neither garbage collector sees the whole round: a stage that nobody will complete takes the future with it.
 */
final class StageFuture implements Inbox.Entry, TaskEnd.Listener {
    private static final long LOOP_TYPE = Namespace.object("type.Loop");

    private final Interpreter interpreter;
    private final ObjectHandle future;
    /** Of jvloop's loops; null for another loop. */
    private final Inbox inboxOrNull;

    private final ObjectHandle loop;
    private Object result;
    private Throwable failureOrNull;

    private StageFuture(Interpreter interpreter, long future, long loop) {
        this.interpreter = interpreter;
        this.future = interpreter.newHandle(Refs.incref(future));
        this.loop = interpreter.newHandle(Refs.incref(loop));
        inboxOrNull = (int) Objects.PyType_IsSubtype(Py.typeOf(loop), LOOP_TYPE) == 0
                ? null
                : EngineObject.of(loop).inbox();
    }

    /** A new reference to a future of the loop that runs in this thread; 0 if none does. In Python. */
    static long newOrNull(Interpreter interpreter, CompletionStage<?> stage) {
        long ownedPair =
                Calls.newResult(HostNames.NEW_FUTURE, new Calls.Owned(TaskEnd.newCallback(new Cancellation(stage))));
        return Owned.releasing(ownedPair, () -> {
            if (ownedPair == Py.NONE) {
                return 0L;
            }
            long future = Py.tupleItem(ownedPair, 0);
            StageFuture waiting = new StageFuture(interpreter, future, Py.tupleItem(ownedPair, 1));
            // The program may have written the stage, and it may be complete.
            Gil.without(() -> stage.whenComplete(waiting::stageDone));
            return Refs.incref(future);
        });
    }

    /** Cancels the stage when the future is cancelled. */
    private static final class Cancellation implements TaskEnd.Listener {
        private final WeakReference<CompletionStage<?>> stage;

        Cancellation(CompletionStage<?> stage) {
            this.stage = new WeakReference<>(stage);
        }

        @Override
        public void done(long future) {
            CompletionStage<?> stageOrNull = stage.get();
            if (stageOrNull != null && isTrue(future, Names.CANCELLED)) {
                Gil.without(() -> stageOrNull.toCompletableFuture().cancel(true));
            }
        }
    }

    private static boolean isTrue(long future, long question) {
        long ownedAnswer = Calls.newMethodResult(future, question);
        return Owned.releasing(ownedAnswer, () -> Py.isTrue(ownedAnswer));
    }

    /** Any thread, which may hold locks: it does not wait for the GIL. */
    private void stageDone(Object value, Throwable exceptionOrNull) {
        result = value;
        failureOrNull = exceptionOrNull;
        if (inboxOrNull == null) {
            interpreter.runLater(this::callSoon);
        } else if (!inboxOrNull.put(this)) {
            reject();
        }
    }

    /** For a loop that is not jvloop's. In Python. */
    private void callSoon() {
        try {
            Refs.decref(Calls.newMethodResult(
                    loop.borrowed(),
                    HostNames.CALL_SOON_THREADSAFE,
                    new Calls.Owned(TaskEnd.newCallback(this)),
                    future.borrowed()));
        } catch (PythonError e) {
            // The loop is closed.
            Refs.decref(PyErr.newTaken());
            reject();
        }
    }

    // ---- on the loop's thread

    @Override
    public void done(long unused) {
        run();
    }

    @Override
    public void run() {
        try {
            if (!isTrue(future.borrowed(), Names.DONE)) {
                complete(future.borrowed());
            }
        } catch (PythonError e) {
            PyErr.writeUnraisable(future.borrowed());
        } finally {
            future.close();
            loop.close();
        }
    }

    /** Lets go of the future, which nobody waits for any more. */
    @Override
    public void reject() {
        future.closeLater();
        loop.closeLater();
    }

    private void complete(long future) {
        long ownedException;
        if (failureOrNull == null) {
            try {
                setResult(future, Names.SET_RESULT, ToPython.newObject(result));
                return;
            } catch (PythonError e) {
                ownedException = PyErr.newTaken();
            } catch (RuntimeException | Error e) {
                // It has no counterpart in Python.
                ownedException = JavaErrors.newException(e);
            }
        } else {
            ownedException = JavaErrors.newException(failureOrNull);
        }
        if (HostNames.isCancelledError(ownedException)) {
            Refs.decref(ownedException);
            Refs.decref(Calls.newMethodResult(future, Names.CANCEL));
            return;
        }
        try {
            setResult(future, HostNames.SET_EXCEPTION, ownedException);
        } catch (PythonError e) {
            // It does not take StopIteration: what it says about that is the error then.
            setResult(future, HostNames.SET_EXCEPTION, PyErr.newTaken());
        }
    }

    private static void setResult(long future, long method, long owned) {
        Refs.decref(Calls.newMethodResult(future, method, new Calls.Owned(owned)));
    }
}
