package dev.jvloop.loop;

import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import java.lang.invoke.MethodHandles;

/** What {@code jvloop.aio.sleep} calls on {@code jvloop.Loop}. */
@SuppressWarnings("unused")
public final class SleepMethods {
    private SleepMethods() {}

    /** Gives the Python class its methods. */
    public static void attach() {
        long loop = Namespace.object("type.Loop");
        new MethodTable(MethodHandles.lookup(), SleepMethods.class, loop, new LoopGuard())
                .oneArgument("_sleep", "($self, delay, /)", "A future that wakes after delay seconds, or None.");
        new MethodTable(MethodHandles.lookup(), SleepMethods.class, loop, LoopGuard::enterIfFreeOrNull)
                .oneArgument("_stop_sleeping", "($self, future, /)", "Nobody waits for _sleep()'s future any more.");
    }

    /** None where asyncio's own {@code sleep} has something to check or to call: debug mode, overridden methods, NaN. */
    private static long _sleep(long self, long delay, long unused1, long unused2) {
        EventLoop loop = EngineObject.of(self);
        if (loop.needsChecks() || loop.hasOwnScheduling() || !(Py.isFloat(delay) || Py.isInt(delay))) {
            return Py.newNone();
        }
        double seconds = Py.toDouble(delay);
        return seconds > 0 ? loop.newSleep(seconds) : Py.newNone();
    }

    private static long _stop_sleeping(long self, long future, long unused1, long unused2) {
        EventLoop loop = EngineObject.of(self);
        if (!LoopGuard.leaveToLoopThread(loop, self, Names.STOP_SLEEPING, future)) {
            loop.timers().stopSleeping(future);
        }
        return Py.newNone();
    }
}
