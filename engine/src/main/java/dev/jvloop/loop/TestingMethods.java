package dev.jvloop.loop;

import dev.jvloop.capi.Longs;
import dev.jvloop.linux.FaultySystemCalls;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import java.lang.invoke.MethodHandles;

/** What {@code jvloop.testing} calls on {@code jvloop.Loop}. */
@SuppressWarnings("unused")
public final class TestingMethods {
    private TestingMethods() {}

    /** Gives the Python class its methods. */
    public static void attach() {
        new MethodTable(MethodHandles.lookup(), TestingMethods.class, Namespace.object("type.Loop"))
                .positional("_use_clock", "($self, clock, state, /)", "Go by a VirtualClock, its state at an address.")
                .oneArgument("_use_seed", "($self, seed, /)", "Let a seed decide about what has no order.")
                .oneArgument("_use_faults", "($self, block, /)", "Make faulty system calls; proper ones again for 0.");
    }

    private static long _use_clock(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_use_clock", count, 2);
        EngineObject.of(self)
                .useClock(new VirtualClock(Arguments.get(arguments, 0), longOf(Arguments.get(arguments, 1))));
        return Py.newNone();
    }

    private static long _use_seed(long self, long seed, long unused1, long unused2) {
        EngineObject.of(self).useSeed(longOf(seed));
        return Py.newNone();
    }

    private static long _use_faults(long self, long block, long unused1, long unused2) {
        long address = longOf(block);
        EngineObject.of(self).useFaults(address == 0 ? null : new FaultySystemCalls(address));
        return Py.newNone();
    }

    private static long longOf(long object) {
        long value = Longs.PyLong_AsLongLong(object);
        if (value == -1) {
            PyErr.checkOccurred();
        }
        return value;
    }
}
