package dev.jvloop.loop;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Memory;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/** asyncio's C Future, as Java makes and wakes it. */
final class Futures {
    private static final long TYPE = Namespace.object("type.asyncio.Future");
    /** Where it holds its loop; 0 if that was not found. */
    private static final long LOOP = Namespace.integer("offset.future_loop");

    private Futures() {}

    /**
     * A new reference to a new future of the running loop. Naming the loop would cost a dict of keyword arguments.
     *
     * @throws PythonError what its class raised
     */
    static long newOfRunningLoop() {
        return PyErr.checked(Abstract.PyObject_CallNoArgs(TYPE));
    }

    /** The same, or 0 if {@code loop} is not the one that runs in this thread. */
    static long newOfRunningLoopOrNull(long loop) {
        if (LOOP == 0) {
            return 0;
        }
        long ownedFuture = newOfRunningLoop();
        if (Memory.getLong(ownedFuture + LOOP) == loop) {
            return ownedFuture;
        }
        Refs.decref(ownedFuture);
        return 0;
    }

    /**
     * Sets the result of a future to None, unless it is done: who waited for it was cancelled, and has yet to run.
     *
     * @throws PythonError what its class raised
     */
    static void wake(IoScratch scratch, long future) {
        if (Py.typeOf(future) != TYPE && isDone(future)) {
            return;
        }
        long ownedResult = scratch.callMethod(future, Names.SET_RESULT, Py.NONE);
        if (ownedResult != 0) {
            Refs.decref(ownedResult);
            return;
        }
        long ownedException = PyErr.newTaken();
        if (!isDone(future)) {
            throw PyErr.raiseOwned(ownedException);
        }
        Refs.decref(ownedException);
    }

    private static boolean isDone(long future) {
        long ownedDone = Calls.newMethodResult(future, Names.DONE);
        try {
            return Py.isTrue(ownedDone);
        } finally {
            Refs.decref(ownedDone);
        }
    }
}
