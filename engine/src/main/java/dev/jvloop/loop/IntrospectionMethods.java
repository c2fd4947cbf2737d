package dev.jvloop.loop;

import dev.jvloop.capi.Tuples;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;

/** What {@code loop._ready}, {@code loop._scheduled} and {@code handle._context} call on {@code jvloop.Loop}. */
@SuppressWarnings("unused")
public final class IntrospectionMethods {
    private IntrospectionMethods() {}

    /** Gives the Python class its methods. */
    public static void attach() {
        long loop = Namespace.object("type.Loop");
        new MethodTable(MethodHandles.lookup(), IntrospectionMethods.class, loop, new LoopGuard())
                .noArguments("_ready_handles", "($self, /)", "A tuple of the handles that are ready, in their order.")
                .noArguments("_timer_handles", "($self, /)", "A tuple of the timer handles that wait, in no order.")
                .oneArgument("_context_of", "($self, handle, /)", "The context that a handle is to run in.");
    }

    private static long _ready_handles(long self, long unused1, long unused2, long unused3) {
        return newTuple(EngineObject.of(self).newReferencesToReady());
    }

    private static long _timer_handles(long self, long unused1, long unused2, long unused3) {
        return newTuple(EngineObject.of(self).newReferencesToTimers());
    }

    private static long _context_of(long self, long handle, long unused1, long unused2) {
        Handles.check(handle);
        return Refs.incref(PyErr.checked(EngineObject.of(self).handles().contextOrNull(handle)));
    }

    /** The references were taken before this allocates: a collection may run code that changes the queue. */
    private static long newTuple(long[] ownedHandles) {
        long ownedTuple = Tuples.PyTuple_New(ownedHandles.length);
        if (ownedTuple == 0) {
            PyErr.preserving(() -> Arrays.stream(ownedHandles).forEach(Refs::decref));
        }
        long slots = Py.tupleItems(PyErr.checked(ownedTuple));
        for (int i = 0; i < ownedHandles.length; i++) {
            Memory.putLong(slots + 8L * i, ownedHandles[i]);
        }
        return ownedTuple;
    }
}
