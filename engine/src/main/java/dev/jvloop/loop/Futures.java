package dev.jvloop.loop;

import dev.jvloop.capi.Abstract;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/** asyncio's C Future, as Java makes and wakes it. */
public final class Futures {
    private static final long TYPE = Namespace.object("type.asyncio.Future");
    /** Where it holds its loop; 0 if that was not found. */
    private static final long LOOP = Namespace.integer("offset.future_loop");

    /** The callback with which {@code asyncio.sleep} wakes. */
    private static final long SET_RESULT_UNLESS_CANCELLED = Namespace.object("base._set_result_unless_cancelled");

    private Futures() {}

    /**
     * A new reference to a new future of the running loop. Naming the loop would cost a dict of keyword arguments.
     *
     * @throws PythonError what its class raised
     */
    static long newOfRunningLoop() {
        return PyErr.checked(Abstract.PyObject_CallNoArgs(TYPE));
    }

    /**
     * A new reference to a new future of a loop; 0 where asyncio's own way to make one is to be taken, since the loop does
     * not run in this thread, or has something to note about it.
     */
    static long newOrNull(EventLoop loop) {
        if (LOOP == 0 || !loop.isRunningHere() || loop.needsChecks()) {
            return 0;
        }
        long ownedFuture = newOfRunningLoop();
        // A loop that was run inside another's callback, as nest_asyncio does, leaves that one's name behind.
        if (Memory.getLong(ownedFuture + LOOP) == loop.self()) {
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
    public static void wake(IoScratch scratch, long future) {
        if (Py.typeOf(future) != TYPE && isTrueOf(future, Names.DONE)) {
            return;
        }
        if (!takesResult(scratch, future, Py.NONE, Names.DONE)) {
            throw PythonError.SET;
        }
    }

    /** Whether a callback with these two arguments is asyncio's way to wake a future, one that has no methods of its own. */
    static boolean isWake(long callback, long future) {
        return callback == SET_RESULT_UNLESS_CANCELLED && Py.typeOf(future) == TYPE;
    }

    /**
     * Does what {@code asyncio.futures._set_result_unless_cancelled(future, result)} does, without a Python function
     * between.
     *
     * @return a new reference to None, or 0 with the error indicator set
     */
    static long newNoneOfWake(IoScratch scratch, long future, long result) {
        return takesResult(scratch, future, result, Names.CANCELLED) ? Py.newNone() : 0;
    }

    /**
     * Sets a result.
     *
     * @param excuse the name of the method that says whether a future that takes no result is left as it is
     * @return false, with the error indicator set, if the future takes none and that does not excuse it
     */
    private static boolean takesResult(IoScratch scratch, long future, long result, long excuse) {
        long ownedResult = scratch.callMethod(future, Names.SET_RESULT, result);
        if (ownedResult != 0) {
            Refs.decref(ownedResult);
            return true;
        }
        long ownedException = PyErr.newTaken();
        if (isTrueOf(future, excuse)) {
            Refs.decref(ownedException);
            return true;
        }
        PyErr.raiseOwned(ownedException);
        return false;
    }

    private static boolean isTrueOf(long future, long method) {
        long ownedAnswer = Calls.newMethodResult(future, method);
        try {
            return Py.isTrue(ownedAnswer);
        } finally {
            Refs.decref(ownedAnswer);
        }
    }
}
