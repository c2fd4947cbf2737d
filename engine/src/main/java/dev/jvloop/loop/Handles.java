package dev.jvloop.loop;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Objects;
import dev.jvloop.capi.Tuples;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Calls;
import dev.jvloop.py.ContextSwitch;
import dev.jvloop.py.CriticalSection;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/**
 * The handles of one loop: {@code jvloop.Handle}, {@code jvloop.TimerHandle} and, from Python 3.14 on, {@code
 * jvloop._ThreadSafeHandle} objects, made, run and recycled through their slots. All are subclasses of asyncio's own classes, so repr, comparison, {@code get_context} and debug
 * tracebacks are asyncio's own.
 *
 * <p>Two things make scheduling cheap. Up to three arguments stand in slots of the handle itself, side by side, so
 * that the call can be made with the address of the first and no tuple is ever built. And a handle that ran, and that
 * nobody else holds, is kept for the next {@code call_soon} instead of being freed: besides the allocation this saves
 * the cyclic collections that hundreds of short-lived handles set off. A handle that a program kept is never
 * recycled, since it may still be cancelled, which must not hit somebody else's callback.
 */
final class Handles {
    private static final long HANDLE = Namespace.object("type.Handle");
    private static final long BASE_HANDLE = Namespace.object("type.asyncio.Handle");
    private static final long TIMER_HANDLE = Namespace.object("type.TimerHandle");
    private static final long THREAD_SAFE_HANDLE = Namespace.object("type.ThreadSafeHandle");
    /** Python 3.14 and newer have a class of its own for {@code call_soon_threadsafe}. */
    private static final boolean HAVE_THREAD_SAFE_KIND = THREAD_SAFE_HANDLE != Py.NONE;

    private static final long LOCK = HAVE_THREAD_SAFE_KIND ? Namespace.integer("slot.ThreadSafeHandle._lock") : 0;
    private static final long RLOCK = Namespace.object("type.RLock");
    private static final long RUN_FAILED = Namespace.object("helper.callback_failed");

    private static final long CALLBACK = Namespace.integer("slot.Handle._callback");
    private static final long ARGS = Namespace.integer("slot.Handle._args");
    private static final long CANCELLED = Namespace.integer("slot.Handle._cancelled");
    private static final long LOOP = Namespace.integer("slot.Handle._loop");
    private static final long SOURCE_TRACEBACK = Namespace.integer("slot.Handle._source_traceback");
    private static final long REPR = Namespace.integer("slot.Handle._repr");
    private static final long CONTEXT = Namespace.integer("slot.Handle._context");
    private static final long WEAKREFS = Namespace.integer("offset.Handle.__weakref__");
    private static final long ARG0 = Namespace.integer("slot.Handle._arg0");
    private static final long TIMER_ARG0 = Namespace.integer("slot.TimerHandle._arg0");
    private static final long THREAD_SAFE_ARG0 =
            HAVE_THREAD_SAFE_KIND ? Namespace.integer("slot.ThreadSafeHandle._arg0") : 0;
    private static final long SCHEDULED = Namespace.integer("slot.TimerHandle._scheduled");
    private static final long NODE = Namespace.integer("slot.TimerHandle._node");
    private static final long WHEN = Namespace.integer("slot.TimerHandle._when");

    private static final int INLINE_ARGUMENTS = areAdjacent("Handle")
                    && areAdjacent("TimerHandle")
                    && (!HAVE_THREAD_SAFE_KIND || areAdjacent("ThreadSafeHandle"))
            ? 3
            : 0;
    /** As many as were ever queued at once are kept, up to this: 18 MB. */
    private static final int POOL_CAPACITY = 128 * 1024;
    /** So many stay for good, 3.3 MB in all. The others leave little by little when the loop has nothing to do. */
    private static final int KEPT_WHEN_IDLE = 16 * 1024;

    private static final int FREED_AT_A_TIME = 256;

    private final long loop;
    private final IoScratch scratch;
    private final HeldArguments held;
    private final ObjectPool pool = new ObjectPool(POOL_CAPACITY);
    private final ObjectPool timerPool = new ObjectPool(POOL_CAPACITY);
    private final ObjectPool threadSafePool = new ObjectPool(POOL_CAPACITY);
    private final LateContexts contexts = new LateContexts();
    private final CancelledTimers cancelledTimers = new CancelledTimers(this::recycle);

    /** @param loop borrowed reference to the Python loop */
    Handles(long loop, IoScratch scratch) {
        this.loop = loop;
        this.scratch = scratch;
        this.held = new HeldArguments(scratch);
    }

    private static boolean areAdjacent(String className) {
        String prefix = "slot." + className + "._arg";
        long first = Namespace.integer(prefix + 0);
        return Namespace.integer(prefix + 1) == first + 8 && Namespace.integer(prefix + 2) == first + 16;
    }

    // ---- making ----

    /**
     * A new Handle.
     *
     * @param arguments address of {@code count} borrowed argument references
     * @param context a Context, or 0 or None for a copy of the current one
     */
    long newHandle(long callback, long arguments, long count, long context) {
        long ownedContext = newContext(context);
        long ownedHandle = pool.isEmpty() ? newEmptyHandle(HANDLE) : pool.takeOwned();
        Memory.putLong(ownedHandle + CALLBACK, Refs.incref(callback));
        Memory.putLong(ownedHandle + CONTEXT, ownedContext);
        setArguments(ownedHandle, ARG0, arguments, count);
        return ownedHandle;
    }

    /** What {@code call_soon_threadsafe} gives: from Python 3.14 on a handle with a lock. */
    long newThreadSafeHandle(long callback, long arguments, long count, long context) {
        if (!HAVE_THREAD_SAFE_KIND) {
            return newHandle(callback, arguments, count, context);
        }
        long ownedContext = newContext(context);
        long ownedHandle;
        if (threadSafePool.isEmpty()) {
            ownedHandle = newEmptyHandle(THREAD_SAFE_HANDLE);
            Memory.putLong(ownedHandle + LOCK, PyErr.checked(Abstract.PyObject_CallNoArgs(RLOCK)));
        } else {
            ownedHandle = threadSafePool.takeOwned();
        }
        Memory.putLong(ownedHandle + CALLBACK, Refs.incref(callback));
        Memory.putLong(ownedHandle + CONTEXT, ownedContext);
        setArguments(ownedHandle, THREAD_SAFE_ARG0, arguments, count);
        return ownedHandle;
    }

    private long newEmptyHandle(long type) {
        long ownedHandle = PyErr.checked(Objects.PyType_GenericAlloc(type, 0));
        Memory.putLong(ownedHandle + LOOP, Refs.incref(loop));
        Memory.putLong(ownedHandle + CANCELLED, Refs.incref(Py.FALSE));
        Memory.putLong(ownedHandle + SOURCE_TRACEBACK, Refs.incref(Py.NONE));
        Memory.putLong(ownedHandle + REPR, Refs.incref(Py.NONE));
        return ownedHandle;
    }

    /** A new TimerHandle that counts as scheduled; takes over the reference {@code ownedWhen}. */
    long newTimerHandle(long ownedWhen, long callback, long arguments, long count, long context) {
        long ownedContext = newContext(context);
        if (timerPool.isEmpty()) {
            cancelledTimers.recycleOldestIf(Refs::isOnlyReference);
        }
        long ownedHandle = timerPool.isEmpty() ? newEmptyHandle(TIMER_HANDLE) : timerPool.takeOwned();
        Memory.putLong(ownedHandle + CALLBACK, Refs.incref(callback));
        Memory.putLong(ownedHandle + CONTEXT, ownedContext);
        Memory.putLong(ownedHandle + WHEN, ownedWhen);
        setScheduled(ownedHandle, true);
        setArguments(ownedHandle, TIMER_ARG0, arguments, count);
        return ownedHandle;
    }

    /** Stores references to the arguments in a handle that has none. */
    private static void setArguments(long handle, long firstSlot, long arguments, long count) {
        if (count > INLINE_ARGUMENTS) {
            Memory.putLong(handle + ARGS, newTuple(arguments, count));
            return;
        }
        for (long i = 0; i < count; i++) {
            Memory.putLong(handle + firstSlot + 8 * i, Refs.incref(Memory.getLong(arguments + 8 * i)));
        }
    }

    /** A new Handle made by its Python class: in debug mode, where it takes the traceback of its creation. */
    long newHandleByPython(long callback, long args, long context) {
        return Calls.newResult(HANDLE, callback, args, loop, context);
    }

    private static long newContext(long context) {
        return context == 0 || context == Py.NONE ? LateContexts.newHeld() : Refs.incref(context);
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

    // ---- reading and cancelling ----

    static boolean isCancelled(long handle) {
        return Memory.getLong(handle + CANCELLED) == Py.TRUE;
    }

    /** Whether a TimerHandle is in its loop's heap. */
    static boolean isScheduled(long timerHandle) {
        return Memory.getLong(timerHandle + SCHEDULED) == Py.TRUE;
    }

    static void setScheduled(long timerHandle, boolean value) {
        Refs.setSlot(timerHandle, SCHEDULED, Refs.incref(value ? Py.TRUE : Py.FALSE));
    }

    /** The number that {@link #setNode} left; -1 if it did not. */
    static int nodeOf(long timerHandle) {
        long number = Memory.getLong(timerHandle + NODE);
        return number == 0 ? -1 : Py.smallInt(number);
    }

    /** Notes under which number a TimerHandle waits, an int. */
    static void setNode(long timerHandle, long ownedNumber) {
        Refs.setSlot(timerHandle, NODE, ownedNumber);
    }

    /** A borrowed reference to the time a TimerHandle is due. */
    static long whenOf(long timerHandle) {
        return Memory.getLong(timerHandle + WHEN);
    }

    /** A borrowed reference to what a handle calls; None or 0 if it was cancelled. */
    static long callbackOf(long handle) {
        return Memory.getLong(handle + CALLBACK);
    }

    /** A borrowed reference to the loop of a handle. */
    static long loopOf(long handle) {
        return Memory.getLong(handle + LOOP);
    }

    /** Whether an object is an asyncio.Handle, so that its slots are where Java looks for them. */
    private static boolean isHandle(long object) {
        long type = Py.typeOf(object);
        return isOwnType(type) || (int) Objects.PyType_IsSubtype(type, BASE_HANDLE) != 0;
    }

    /** Raises TypeError for what is no asyncio.Handle. */
    static void check(long object) {
        if (!isHandle(object)) {
            throw PyErr.raise(PyErr.TYPE_ERROR, "an asyncio.Handle is required, not " + Py.typeName(object));
        }
    }

    private static boolean isOwnType(long type) {
        return type == HANDLE || type == TIMER_HANDLE || type == THREAD_SAFE_HANDLE;
    }

    /** The offset of the first argument's slot. */
    private static long firstArgument(long ownType) {
        return ownType == HANDLE ? ARG0 : ownType == TIMER_HANDLE ? TIMER_ARG0 : THREAD_SAFE_ARG0;
    }

    private ObjectPool poolFor(long ownType) {
        return ownType == HANDLE ? pool : ownType == TIMER_HANDLE ? timerPool : threadSafePool;
    }

    /** Cancels a handle as {@code Handle.cancel} does where debug is off. */
    static void cancel(long handle) {
        Refs.setSlot(handle, CANCELLED, Refs.incref(Py.TRUE));
        Refs.setSlot(handle, CALLBACK, Refs.incref(Py.NONE));
        Refs.setSlot(handle, ARGS, Refs.incref(Py.NONE));
        long type = Py.typeOf(handle);
        if (isOwnType(type)) {
            for (int i = 0; i < INLINE_ARGUMENTS; i++) {
                Refs.setSlot(handle, firstArgument(type) + 8L * i, 0);
            }
        }
    }

    /** A borrowed reference to the context that a handle is to run in, which is made now; 0 with an exception set. */
    long contextOrNull(long handle) {
        long heldOrNull = Memory.getLong(handle + CONTEXT);
        if (!LateContexts.isLate(heldOrNull)) {
            return heldOrNull;
        }
        if (!contexts.hasSpare()) {
            if (!contexts.makeSpare()) {
                return 0;
            }
            // If that ran a collection, it may have run code that looked at this handle's context.
            return contextOrNull(handle);
        }
        long ownedContext = contexts.takeSpare(heldOrNull);
        Memory.putLong(handle + CONTEXT, ownedContext);
        return ownedContext;
    }

    // ---- running ----

    /**
     * Calls a handle's callback in its context, and gives the handle's reference back. An error goes to the loop's
     * exception handler.
     *
     * @throws PythonError SystemExit or KeyboardInterrupt, which end the loop
     */
    void run(long ownedHandle) {
        long type = Py.typeOf(ownedHandle);
        if (isOwnType(type) && Refs.isOnlyReference(ownedHandle)) {
            runUnshared(ownedHandle, type);
        } else if (type == THREAD_SAFE_HANDLE) {
            runLocked(ownedHandle);
        } else {
            runShared(ownedHandle);
        }
    }

    /** Nobody else can reach the handle, so nobody can change it during the call: what it holds needs no references. */
    private void runUnshared(long ownedHandle, long type) {
        long context = contextOrNull(ownedHandle);
        long ownedException = 0;
        if (context != 0 && ContextSwitch.enter(context)) {
            long ownedResult = newResult(ownedHandle, type, Memory.getLong(ownedHandle + CALLBACK));
            if (ownedResult == 0) {
                ownedException = PyErr.newTaken();
            }
            ContextSwitch.leave(context);
            Refs.decrefOrNull(ownedResult);
        } else {
            ownedException = PyErr.newTaken();
        }
        if (ownedException == 0) {
            recycle(ownedHandle);
        } else {
            reportFailure(ownedHandle, ownedException);
        }
    }

    /** By the handle's own {@code _run()}: it holds the lock that another thread's {@code cancel()} waits for. */
    private static void runLocked(long ownedHandle) {
        try {
            long ownedMethod = Py.newAttribute(ownedHandle, Names.RUN);
            try {
                Calls.run(ownedMethod);
            } finally {
                PyErr.preserving(() -> Refs.decref(ownedMethod));
            }
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedHandle));
        }
    }

    private void runShared(long ownedHandle) {
        long ownedCallback;
        long context = contextOrNull(ownedHandle);
        if (context == 0) {
            reportFailure(ownedHandle, PyErr.newTaken());
            return;
        }
        long ownedContext;
        long ownedArgsOrNull;
        long heldCount = 0;
        try (var _ = CriticalSection.ofOrNull(ownedHandle)) {
            ownedCallback = Refs.incref(Memory.getLong(ownedHandle + CALLBACK));
            ownedContext = Refs.incref(Memory.getLong(ownedHandle + CONTEXT));
            long args = Memory.getLong(ownedHandle + ARGS);
            if (args != 0) {
                ownedArgsOrNull = Refs.incref(args);
            } else {
                long type = Py.typeOf(ownedHandle);
                long arguments = ownedHandle + firstArgument(type);
                long count = isOwnType(type) ? inlineCount(arguments) : 0;
                boolean fits = held.tryHold(arguments, count);
                ownedArgsOrNull = fits ? 0 : newTuple(arguments, count);
                heldCount = fits ? count : 0;
            }
        }
        // Another thread may have cancelled it since the loop looked, which empties the slots afterwards, or code that
        // a
        // collection ran.
        boolean cancelledMeanwhile = isCancelled(ownedHandle);
        long ownedException = 0;
        if (cancelledMeanwhile) {
            ownedException = 0;
        } else if (ContextSwitch.enter(ownedContext)) {
            long ownedResult = ownedArgsOrNull == 0
                    ? newResultOfArray(ownedCallback, held.address(), heldCount)
                    : newResultOfArgs(ownedCallback, ownedArgsOrNull);
            if (ownedResult == 0) {
                ownedException = PyErr.newTaken();
            }
            ContextSwitch.leave(ownedContext);
            Refs.decrefOrNull(ownedResult);
        } else {
            ownedException = PyErr.newTaken();
        }
        Refs.decref(ownedCallback);
        if (ownedArgsOrNull == 0) {
            held.release(heldCount);
        } else {
            Refs.decref(ownedArgsOrNull);
        }
        Refs.decref(ownedContext);
        if (ownedException == 0) {
            Refs.decref(ownedHandle);
        } else {
            reportFailure(ownedHandle, ownedException);
        }
    }

    private long newResult(long handle, long type, long callback) {
        long args = Memory.getLong(handle + ARGS);
        if (args != 0) {
            return newResultOfArgs(callback, args);
        }
        long arguments = handle + firstArgument(type);
        return newResultOfArray(callback, arguments, inlineCount(arguments));
    }

    private static long inlineCount(long arguments) {
        return Memory.getLong(arguments) == 0
                ? 0
                : Memory.getLong(arguments + 8) == 0 ? 1 : Memory.getLong(arguments + 16) == 0 ? 2 : 3;
    }

    private long newResultOfArray(long callback, long arguments, long count) {
        if (count == 2 && Futures.isWake(callback, Memory.getLong(arguments))) {
            return Futures.newNoneOfWake(scratch, Memory.getLong(arguments), Memory.getLong(arguments + 8));
        }
        return Abstract.PyObject_Vectorcall(callback, arguments, count, 0);
    }

    /** asyncio unpacks {@code handle._args}, so code that made a Handle by hand may have put any iterable there. */
    private static long newResultOfArgs(long callback, long args) {
        if (Py.isTuple(args)) {
            return Abstract.PyObject_Vectorcall(callback, Py.tupleItems(args), Py.size(args), 0);
        }
        long ownedTuple = Abstract.PySequence_Tuple(args);
        if (ownedTuple == 0) {
            return 0;
        }
        long ownedResult = Abstract.PyObject_Vectorcall(callback, Py.tupleItems(ownedTuple), Py.size(ownedTuple), 0);
        Refs.decref(ownedTuple);
        return ownedResult;
    }

    private static void reportFailure(long ownedHandle, long ownedException) {
        try {
            if (PyErr.endsLoop(ownedException)) {
                throw PyErr.raiseOwned(ownedException);
            }
            Calls.run(RUN_FAILED, ownedHandle, new Calls.Owned(ownedException));
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedHandle));
        }
    }

    // ---- recycling ----

    /** Gives a handle back that ran or was cancelled: kept, emptied, if nobody else holds it, else released. */
    void recycle(long ownedHandle) {
        long type = Py.typeOf(ownedHandle);
        ObjectPool target = poolFor(type);
        if (!isOwnType(type)
                || !Refs.isOnlyReference(ownedHandle)
                || target.isFull()
                || !isPristine(ownedHandle, type)) {
            Refs.decref(ownedHandle);
            return;
        }
        long ownedCallback = take(ownedHandle + CALLBACK);
        long ownedContext = take(ownedHandle + CONTEXT);
        long ownedArgs = take(ownedHandle + ARGS);
        if (isCancelled(ownedHandle)) {
            Refs.setSlot(ownedHandle, CANCELLED, Refs.incref(Py.FALSE));
        }
        long arguments = ownedHandle + firstArgument(type);
        long ownedArg0 = take(arguments);
        long ownedArg1 = take(arguments + 8);
        long ownedArg2 = take(arguments + 16);
        long ownedWhenOrNull = type == TIMER_HANDLE ? take(ownedHandle + WHEN) : 0;
        // Releasing what the handle held may run code that schedules callbacks: the handle is kept before.
        target.add(ownedHandle);
        Refs.decrefOrNull(ownedArg0);
        Refs.decrefOrNull(ownedArg1);
        Refs.decrefOrNull(ownedArg2);
        Refs.decrefOrNull(ownedWhenOrNull);
        Refs.decrefOrNull(ownedCallback);
        contexts.recycle(ownedContext);
        Refs.decrefOrNull(ownedArgs);
    }

    /** Gives a timer back that its program has just cancelled, and so still holds. */
    void recycleSoon(long ownedTimerHandle) {
        cancelledTimers.add(ownedTimerHandle);
    }

    /** Gives back those of {@link #recycleSoon}. */
    void recycleCancelledTimers() {
        cancelledTimers.recycleAll();
    }

    /** Frees some of what is kept and may not be needed again, with only timers waiting: takes some 10 us at most. */
    void freeSome() {
        pool.freeAbove(KEPT_WHEN_IDLE, FREED_AT_A_TIME);
        timerPool.freeAbove(KEPT_WHEN_IDLE, FREED_AT_A_TIME);
        threadSafePool.freeAbove(KEPT_WHEN_IDLE, FREED_AT_A_TIME);
    }

    private static long take(long slot) {
        long owned = Memory.getLong(slot);
        Memory.putLong(slot, 0);
        return owned;
    }

    /** Whether the slots that the constructors here do not set are as a new handle's. */
    private boolean isPristine(long handle, long type) {
        return Memory.getLong(handle + REPR) == Py.NONE
                && Memory.getLong(handle + SOURCE_TRACEBACK) == Py.NONE
                && Memory.getLong(handle + WEAKREFS) == 0
                && Memory.getLong(handle + LOOP) == loop
                && (type != THREAD_SAFE_HANDLE || Refs.isOnlyReference(Memory.getLong(handle + LOCK)));
    }

    void visitReferences(LongConsumer visit) {
        pool.forEach(visit);
        timerPool.forEach(visit);
        threadSafePool.forEach(visit);
        contexts.forEach(visit);
        cancelledTimers.forEach(visit);
    }

    /** Frees the kept handles. */
    void clear() {
        cancelledTimers.recycleAll();
        pool.clear();
        timerPool.clear();
        threadSafePool.clear();
        contexts.clear();
    }
}
