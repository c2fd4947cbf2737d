package dev.jvloop.loop;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Contexts;
import dev.jvloop.capi.Memory;
import dev.jvloop.capi.Objects;
import dev.jvloop.capi.Tuples;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/**
 * {@code asyncio.Handle} and {@code jvloop.TimerHandle} objects: allocated by CPython's allocator, filled and run from
 * here through their slots. They are asyncio's own classes, so repr, comparison, {@code get_context} and debug
 * tracebacks are asyncio's own too.
 */
public final class Handles {
    private static final long HANDLE = Namespace.object("type.Handle");
    private static final long TIMER_HANDLE = Namespace.object("type.TimerHandle");
    private static final long RUN_FAILED = Namespace.object("helper.callback_failed");

    private static final long CALLBACK = Namespace.integer("slot.Handle._callback");
    private static final long ARGS = Namespace.integer("slot.Handle._args");
    private static final long CANCELLED = Namespace.integer("slot.Handle._cancelled");
    private static final long LOOP = Namespace.integer("slot.Handle._loop");
    private static final long SOURCE_TRACEBACK = Namespace.integer("slot.Handle._source_traceback");
    private static final long REPR = Namespace.integer("slot.Handle._repr");
    private static final long CONTEXT = Namespace.integer("slot.Handle._context");
    private static final long SCHEDULED = Namespace.integer("slot.TimerHandle._scheduled");
    private static final long WHEN = Namespace.integer("slot.TimerHandle._when");

    private Handles() {}

    /**
     * A new Handle.
     *
     * @param arguments address of {@code count} borrowed argument references
     * @param context a Context, or 0 or None for a copy of the current one
     */
    public static long newHandle(long loop, long callback, long arguments, long count, long context) {
        long ownedArgs = newTuple(arguments, count);
        long ownedContext = newContext(context);
        long ownedHandle = PyErr.checked(Objects.PyType_GenericAlloc(HANDLE, 0));
        fill(ownedHandle, loop, callback, ownedArgs, ownedContext);
        return ownedHandle;
    }

    /** A new TimerHandle that counts as scheduled; takes over the reference {@code ownedWhen}. */
    static long newTimerHandle(
            long loop, long ownedWhen, long callback, long arguments, long count, long context) {
        long ownedArgs = newTuple(arguments, count);
        long ownedContext = newContext(context);
        long ownedHandle = PyErr.checked(Objects.PyType_GenericAlloc(TIMER_HANDLE, 0));
        fill(ownedHandle, loop, callback, ownedArgs, ownedContext);
        Memory.putLong(ownedHandle + WHEN, ownedWhen);
        Memory.putLong(ownedHandle + SCHEDULED, Refs.incref(Py.TRUE));
        return ownedHandle;
    }

    /** A new Handle made by its Python class: in debug mode, where it takes the traceback of its creation. */
    static long newByPython(long callback, long args, long loop, long context) {
        return Calls.newResult(HANDLE, callback, args, loop, context);
    }

    /** A borrowed reference to the time a TimerHandle is due. */
    static long whenOf(long timerHandle) {
        return Memory.getLong(timerHandle + WHEN);
    }

    private static void fill(long handle, long loop, long callback, long ownedArgs, long ownedContext) {
        Memory.putLong(handle + CALLBACK, Refs.incref(callback));
        Memory.putLong(handle + ARGS, ownedArgs);
        Memory.putLong(handle + CANCELLED, Refs.incref(Py.FALSE));
        Memory.putLong(handle + LOOP, Refs.incref(loop));
        Memory.putLong(handle + SOURCE_TRACEBACK, Refs.incref(Py.NONE));
        Memory.putLong(handle + REPR, Refs.incref(Py.NONE));
        Memory.putLong(handle + CONTEXT, ownedContext);
    }

    private static long newContext(long context) {
        return context == 0 || context == Py.NONE
                ? PyErr.checked(Contexts.PyContext_CopyCurrent())
                : Refs.incref(context);
    }

    private static long newTuple(long items, long count) {
        if (count == 0) {
            return Refs.incref(Py.EMPTY_TUPLE);
        }
        long ownedTuple = PyErr.checked(Tuples.PyTuple_New(count));
        long slots = Py.tupleItems(ownedTuple);
        for (long i = 0; i < count; i++) {
            Memory.putLong(slots + 8 * i, Refs.incref(Memory.getLong(items + 8 * i)));
        }
        return ownedTuple;
    }

    public static boolean isCancelled(long handle) {
        return Memory.getLong(handle + CANCELLED) == Py.TRUE;
    }

    /** Whether a TimerHandle is in its loop's heap. */
    static boolean isScheduled(long timerHandle) {
        return Memory.getLong(timerHandle + SCHEDULED) == Py.TRUE;
    }

    static void setScheduled(long timerHandle, boolean value) {
        Refs.setSlot(timerHandle + SCHEDULED, Refs.incref(value ? Py.TRUE : Py.FALSE));
    }

    /** A borrowed reference to the loop of a handle. */
    public static long loopOf(long handle) {
        return Memory.getLong(handle + LOOP);
    }

    /** Cancels a handle as {@code Handle.cancel} does where debug is off. */
    public static void cancel(long handle) {
        Refs.setSlot(handle + CANCELLED, Refs.incref(Py.TRUE));
        Refs.setSlot(handle + CALLBACK, Refs.incref(Py.NONE));
        Refs.setSlot(handle + ARGS, Refs.incref(Py.NONE));
    }

    /** Whether an object is a Handle, so that its slots are where Java looks for them. */
    static boolean isHandle(long handle) {
        long type = Py.typeOf(handle);
        return type == HANDLE || type == TIMER_HANDLE
                || (int) Objects.PyType_IsSubtype(type, HANDLE) != 0;
    }

    /**
     * Calls a handle's callback in its context. An error goes to the loop's exception handler.
     *
     * @throws PythonError SystemExit or KeyboardInterrupt, which end the loop
     */
    static void run(long handle) {
        long ownedCallback = Refs.incref(Memory.getLong(handle + CALLBACK));
        long ownedArgs = Refs.incref(Memory.getLong(handle + ARGS));
        long ownedContext = Refs.incref(Memory.getLong(handle + CONTEXT));
        long ownedException = 0;
        if ((int) Contexts.PyContext_Enter(ownedContext) == 0) {
            long ownedResult = Py.isTuple(ownedArgs)
                    ? Abstract.PyObject_Vectorcall(ownedCallback, Py.tupleItems(ownedArgs), Py.size(ownedArgs), 0)
                    : newResultOfOddArgs(ownedCallback, ownedArgs);
            if (ownedResult == 0) {
                ownedException = PyErr.newTaken();
            }
            Contexts.PyContext_Exit(ownedContext);
            Refs.decrefOrNull(ownedResult);
        } else {
            ownedException = PyErr.newTaken();
        }
        Refs.decref(ownedCallback);
        Refs.decref(ownedArgs);
        Refs.decref(ownedContext);
        if (ownedException != 0) {
            reportFailure(handle, ownedException);
        }
    }

    /** asyncio unpacks {@code handle._args}, so code that made a Handle by hand may have put any iterable there. */
    private static long newResultOfOddArgs(long callback, long args) {
        long ownedTuple = Abstract.PySequence_Tuple(args);
        if (ownedTuple == 0) {
            return 0;
        }
        long ownedResult = Abstract.PyObject_Vectorcall(callback, Py.tupleItems(ownedTuple), Py.size(ownedTuple), 0);
        Refs.decref(ownedTuple);
        return ownedResult;
    }

    private static void reportFailure(long handle, long ownedException) {
        if (PyErr.endsLoop(ownedException)) {
            throw PyErr.raiseOwned(ownedException);
        }
        Calls.run(RUN_FAILED, handle, new Calls.Owned(ownedException));
    }
}
