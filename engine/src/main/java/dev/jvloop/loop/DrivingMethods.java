package dev.jvloop.loop;

import dev.jvloop.capi.Longs;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.Loop} for programs that drive it from outside. */
@SuppressWarnings("unused")
public final class DrivingMethods {
    private DrivingMethods() {}

    /** Gives the Python class its methods. */
    public static void attach() {
        new MethodTable(MethodHandles.lookup(), DrivingMethods.class, Namespace.object("type.Loop"), new LoopGuard())
                .noArguments(
                        "fileno",
                        "($self, /)",
                        "A descriptor that is readable when there is I/O to hand out, or when another thread woke the"
                                + " loop. Timers do not make it readable: wait no longer than until next_deadline().")
                .noArguments(
                        "next_deadline",
                        "($self, /)",
                        "Loop time in seconds at which there is something to run: a time that has come if there is"
                                + " now, None if there is no timer.")
                .oneArgument("_limit_run", "($self, timeout, /)", "The next run is one iteration that waits so long.")
                .noArguments("_unlimit_run", "($self, /)", "Undo _limit_run(); whether stop() ended the run.");
    }

    private static EventLoop open(long self) {
        EventLoop loop = EngineObject.of(self);
        if (loop.isClosed()) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "Event loop is closed");
        }
        return loop;
    }

    private static long fileno(long self, long unused1, long unused2, long unused3) {
        EventLoop loop = open(self);
        loop.watchFromOutside();
        return PyErr.checked(Longs.PyLong_FromLongLong(loop.poller().fd()));
    }

    private static long next_deadline(long self, long unused1, long unused2, long unused3) {
        double deadline = open(self).nextDeadlineSeconds();
        return Double.isNaN(deadline) ? Py.newNone() : Py.newFloat(deadline);
    }

    private static long _limit_run(long self, long timeout, long unused1, long unused2) {
        EventLoop loop = EngineObject.of(self);
        if (timeout == Py.NONE) {
            loop.limitRun(EventLoop.FOREVER);
            return Py.newNone();
        }
        double seconds = Py.toDouble(timeout);
        if (Double.isNaN(seconds)) {
            throw PyErr.raise(PyErr.VALUE_ERROR, "timeout must not be NaN");
        }
        loop.limitRun((long) Math.ceil(Math.max(0, seconds) * Clock.NANOS_PER_SECOND));
        return Py.newNone();
    }

    private static long _unlimit_run(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(EngineObject.of(self).unlimitRun());
    }
}
