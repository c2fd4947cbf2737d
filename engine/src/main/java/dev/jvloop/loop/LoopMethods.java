package dev.jvloop.loop;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Floats;
import dev.jvloop.capi.Longs;
import dev.jvloop.linux.Poller;
import dev.jvloop.linux.SystemCallException;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.Calls;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.lang.invoke.MethodHandles;

/**
 * The methods of {@code jvloop.Loop} and {@code jvloop.TimerHandle} whose bodies are Java.
 *
 * <p>Each scheduling method does the plain case itself: an open loop, debug off, well-formed arguments. Everything
 * else (debug checks, the error for a closed loop or missing arguments) it leaves to asyncio's own method, so that
 * checks and messages are asyncio's.
 */
@SuppressWarnings("unused")
public final class LoopMethods {
    private static final long BASE_CALL_SOON = Namespace.object("base.call_soon");
    private static final long CHECKED_CALL_SOON_THREADSAFE = Namespace.object("helper.call_soon_threadsafe_checked");
    private static final long BASE_CREATE_FUTURE = Namespace.object("base.create_future");
    private static final long BASE_CREATE_TASK = Namespace.object("base.create_task");
    private static final long BASE_CALL_LATER = Namespace.object("base.call_later");
    private static final long CHECKED_CALL_AT = Namespace.object("helper.call_at_checked");
    private static final long BASE_CANCEL = Namespace.object("base.TimerHandle.cancel");

    private LoopMethods() {}

    /** Gives the Python classes their methods. */
    public static void attach() {
        long loop = Namespace.object("type.Loop");
        new MethodTable(MethodHandles.lookup(), LoopMethods.class, loop)
                .keywords(
                        "call_soon",
                        "($self, callback, /, *args, context=None)",
                        "Call back in the next iteration; returns a Handle. The loop's thread only.")
                .keywords(
                        "call_soon_threadsafe",
                        "($self, callback, /, *args, context=None)",
                        "call_soon() from any thread, and from signal handlers.")
                .keywords(
                        "call_later",
                        "($self, delay, callback, /, *args, context=None)",
                        "Call back after delay seconds, never earlier; returns a TimerHandle.")
                .keywords(
                        "call_at",
                        "($self, when, callback, /, *args, context=None)",
                        "Call back at loop time when, in seconds; returns a TimerHandle.")
                .noArguments("create_future", "($self, /)", "A new asyncio.Future of this loop.")
                .keywords("create_task", "($self, coro, **kwargs)", "Schedule a coroutine; returns its Task.")
                .noArguments("time", "($self, /)", "The loop's clock, in seconds.")
                .positional("_call_soon", "($self, callback, args, context, /)", "Queue a new Handle.")
                .oneArgument("_add_callback", "($self, handle, /)", "Queue a Handle.")
                .oneArgument("_schedule_timer", "($self, handle, /)", "Take up a TimerHandle.")
                .oneArgument("_timer_handle_cancelled", "($self, handle, /)", "Take out a timer that was cancelled.")
                .noArguments("_run_once", "($self, /)", "Run iterations until stop(), or one.")
                .noArguments("_write_to_self", "($self, /)", "Wake the loop if it waits.")
                .oneArgument("_interest", "($self, fd, /)", "What a descriptor is watched for: 1 read, 4 write.")
                .positional("_open_engine", "($self, overridden, strict, /)", "Create the Java half.")
                .oneArgument("_set_overridden", "($self, overridden, /)", "Note which methods are not Loop's own.");
        new MethodTable(MethodHandles.lookup(), LoopMethods.class, loop, new LoopGuard())
                .positional("_watch", "($self, fd, direction, handle, /)", "Set a reader (1) or writer (4) Handle.")
                .positional("_unwatch", "($self, fd, direction, /)", "Remove a reader (1) or writer (4).")
                .positional("_await", "($self, fd, direction, future, /)", "Wake a future when a descriptor is ready.")
                .positional("_stop_awaiting", "($self, fd, direction, future, /)", "Undo _await().")
                .positional(
                        "_recv", "($self, sock, count, /)", "Up to count bytes, or a future of when there are some.")
                .positional("_send", "($self, sock, data, /)", "Send bytes; how many were sent, None for all.")
                .oneArgument(
                        "_call_held", "($self, function, /)", "Call function() while no other thread may run the loop.")
                .noArguments("_close_engine", "($self, /)", "Close the Java half.");
        new MethodTable(MethodHandles.lookup(), LoopMethods.class, loop, LoopGuard::enterIfFreeOrNull)
                .oneArgument(
                        "_leave_to_loop_thread",
                        "($self, callback, /)",
                        "Have the loop's thread call back, unless that is the calling one; whether it will.");
        new MethodTable(MethodHandles.lookup(), LoopMethods.class, Namespace.object("type.TimerHandle"))
                .noArguments("cancel", "($self, /)", "Cancel the callback.");
    }

    private static long call_soon(long self, long arguments, long count, long names) {
        EventLoop loop = EngineObject.of(self);
        if (count == 0 || loop.needsChecks() || !Arguments.areContextOnly(names)) {
            return Calls.newResultAsMethod(BASE_CALL_SOON, self, arguments, count, names);
        }
        long context = Arguments.contextOrNull(arguments + 8 * count, names);
        return loop.schedule(loop.handles().newHandle(Arguments.get(arguments, 0), arguments + 8, count - 1, context));
    }

    private static long call_soon_threadsafe(long self, long arguments, long count, long names) {
        EventLoop loop = EngineObject.of(self);
        if (count == 0 || loop.needsChecks() || !Arguments.areContextOnly(names)) {
            return Calls.newResultAsMethod(CHECKED_CALL_SOON_THREADSAFE, self, arguments, count, names);
        }
        long context = Arguments.contextOrNull(arguments + 8 * count, names);
        long ownedHandle = loop.schedule(
                loop.handles().newThreadSafeHandle(Arguments.get(arguments, 0), arguments + 8, count - 1, context));
        loop.wakeup();
        return ownedHandle;
    }

    private static long call_later(long self, long arguments, long count, long names) {
        EventLoop loop = EngineObject.of(self);
        if (count > 0 && loop.isStrict()) {
            loop.checkDelay(Arguments.get(arguments, 0));
        }
        if (!isPlainTimer(loop, arguments, count, names) || loop.hasOwnTimers()) {
            return Calls.newResultAsMethod(BASE_CALL_LATER, self, arguments, count, names);
        }
        double when = loop.time() + Py.toDouble(Arguments.get(arguments, 0));
        return newTimer(loop, when, Py.newFloat(when), arguments, count, names);
    }

    private static long call_at(long self, long arguments, long count, long names) {
        EventLoop loop = EngineObject.of(self);
        if (!isPlainTimer(loop, arguments, count, names)) {
            return Calls.newResultAsMethod(CHECKED_CALL_AT, self, arguments, count, names);
        }
        long when = Arguments.get(arguments, 0);
        return newTimer(loop, Py.toDouble(when), Refs.incref(when), arguments, count, names);
    }

    private static boolean isPlainTimer(EventLoop loop, long arguments, long count, long names) {
        return count >= 2
                && !loop.needsChecks()
                && Arguments.areContextOnly(names)
                && isNumber(Arguments.get(arguments, 0));
    }

    private static boolean isNumber(long object) {
        return Py.isFloat(object) || Py.isInt(object);
    }

    private static long newTimer(EventLoop loop, double when, long ownedWhen, long arguments, long count, long names) {
        long context = Arguments.contextOrNull(arguments + 8 * count, names);
        return loop.scheduleTimer(
                when,
                loop.handles()
                        .newTimerHandle(ownedWhen, Arguments.get(arguments, 1), arguments + 16, count - 2, context));
    }

    private static long create_future(long self, long unused1, long unused2, long unused3) {
        long ownedFutureOrNull = Futures.newOrNull(EngineObject.of(self));
        return ownedFutureOrNull == 0 ? Calls.newResult(BASE_CREATE_FUTURE, self) : ownedFutureOrNull;
    }

    private static long create_task(long self, long arguments, long count, long names) {
        if (count == 1 && Tasks.areDefaults(arguments + 8, names)) {
            long ownedTaskOrNull = EngineObject.of(self).tasks().newOrNull(Arguments.get(arguments, 0));
            if (ownedTaskOrNull != 0) {
                return ownedTaskOrNull;
            }
        }
        return Calls.newResultAsMethod(BASE_CREATE_TASK, self, arguments, count, names);
    }

    private static long time(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(Floats.PyFloat_FromDouble(EngineObject.of(self).ownTime()));
    }

    private static long _call_soon(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_call_soon", count, 3);
        EventLoop loop = EngineObject.of(self);
        if (loop.isDebug()) {
            return loop.schedule(loop.handles()
                    .newHandleByPython(
                            Arguments.get(arguments, 0), Arguments.get(arguments, 1), Arguments.get(arguments, 2)));
        }
        long args = Arguments.get(arguments, 1);
        return loop.schedule(loop.handles()
                .newHandle(
                        Arguments.get(arguments, 0), Py.tupleItems(args), Py.size(args), Arguments.get(arguments, 2)));
    }

    private static long _add_callback(long self, long handle, long unused1, long unused2) {
        EngineObject.of(self).addCallback(handle);
        return Py.newNone();
    }

    private static long _schedule_timer(long self, long handle, long unused1, long unused2) {
        double when = Py.toDouble(Handles.whenOf(handle));
        Handles.setScheduled(handle, true);
        return EngineObject.of(self).scheduleTimer(when, Refs.incref(handle));
    }

    private static long _timer_handle_cancelled(long self, long handle, long unused1, long unused2) {
        EngineObject.of(self).removeTimer(handle);
        return Py.newNone();
    }

    /** {@code TimerHandle.cancel}. */
    private static long cancel(long self, long unused1, long unused2, long unused3) {
        long loop = Handles.loopOf(self);
        if (Py.typeOf(loop) != LOOP || EngineObject.of(loop).isDebug()) {
            return PyErr.checked(Abstract.PyObject_CallOneArg(BASE_CANCEL, self));
        }
        if (!Handles.isCancelled(self)) {
            EngineObject.of(loop).removeTimer(self);
            Handles.cancel(self);
        }
        return Py.newNone();
    }

    private static final long LOOP = Namespace.object("type.Loop");

    private static long _run_once(long self, long unused1, long unused2, long unused3) {
        EngineObject.of(self).run();
        return Py.newNone();
    }

    private static long _write_to_self(long self, long unused1, long unused2, long unused3) {
        EngineObject.of(self).wakeup();
        return Py.newNone();
    }

    private static long _watch(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_watch", count, 3);
        FdWatch.setHandle(
                EngineObject.of(self),
                intOf(Arguments.get(arguments, 0)),
                intOf(Arguments.get(arguments, 1)),
                Arguments.get(arguments, 2));
        return Py.newNone();
    }

    private static long _unwatch(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_unwatch", count, 2);
        return Py.newBool(
                EngineObject.of(self).unwatch(intOf(Arguments.get(arguments, 0)), intOf(Arguments.get(arguments, 1))));
    }

    private static long _await(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_await", count, 3);
        FdWatch.setWaiter(
                EngineObject.of(self),
                intOf(Arguments.get(arguments, 0)),
                intOf(Arguments.get(arguments, 1)),
                Arguments.get(arguments, 2));
        return Py.newNone();
    }

    private static long _stop_awaiting(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_stop_awaiting", count, 3);
        return Py.newBool(FdWatch.remove(
                EngineObject.of(self),
                intOf(Arguments.get(arguments, 0)),
                intOf(Arguments.get(arguments, 1)),
                Arguments.get(arguments, 2)));
    }

    private static long _recv(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_recv", count, 2);
        return SocketOperations.newBytesOrWaiter(
                EngineObject.of(self), Arguments.get(arguments, 0), Arguments.get(arguments, 1));
    }

    private static long _send(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_send", count, 2);
        return SocketOperations.newSentOrNone(
                EngineObject.of(self), Arguments.get(arguments, 0), Arguments.get(arguments, 1));
    }

    private static long _leave_to_loop_thread(long self, long callback, long unused1, long unused2) {
        return Py.newBool(LoopGuard.leaveCallToLoopThread(EngineObject.of(self), callback, 0, 0));
    }

    private static long _interest(long self, long fd, long unused1, long unused2) {
        Poller poller = EngineObject.of(self).poller();
        return PyErr.checked(Longs.PyLong_FromLongLong(poller.interest(intOf(fd))));
    }

    private static int intOf(long object) {
        long value = Longs.PyLong_AsLongLong(object);
        if (value == -1) {
            PyErr.checkOccurred();
        }
        return (int) value;
    }

    private static long _open_engine(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_open_engine", count, 2);
        int overridden = intOf(Arguments.get(arguments, 0));
        boolean strict = Py.isTrue(Arguments.get(arguments, 1));
        Refs.setSlot(self, LoopLayout.ENGINE, EngineObject.newFor(newEventLoop(self, overridden, strict)));
        return Py.newNone();
    }

    private static long _set_overridden(long self, long overridden, long unused1, long unused2) {
        EngineObject.of(self).setOverridden(intOf(overridden));
        return Py.newNone();
    }

    /** Without descriptors left it is an OSError, as from asyncio's selector. */
    private static EventLoop newEventLoop(long self, int overridden, boolean strict) {
        try {
            return new EventLoop(self, overridden, strict);
        } catch (SystemCallException e) {
            throw PyErr.raiseOsError(e.errno());
        }
    }

    private static long _call_held(long self, long function, long unused1, long unused2) {
        return Calls.newResult(function);
    }

    private static long _close_engine(long self, long unused1, long unused2, long unused3) {
        EngineObject.of(self).close();
        return Py.newNone();
    }
}
