package dev.jvloop.loop;

import dev.jvloop.capi.GarbageCollection;
import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.NativeType;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import dev.jvloop.py.Registry;
import dev.jvloop.py.Upcalls;
import java.lang.invoke.MethodHandles;

/**
 * The Python object that stands for an {@link EventLoop} in the {@code _engine} slot of its {@code jvloop.Loop}.
 *
 * <p>The ready queue, the timers and the table of file descriptors own references that only Java knows. The cyclic
 * garbage collector must see them, or a loop that was dropped without {@code close()} could never be collected, since
 * each of its handles refers back to it. So this type's tp_traverse shows them.
 */
public final class EngineObject {
    private static final long TYPE = NativeType.newType(
            "jvloop.Engine",
            NativeType.HAVE_GC,
            slot(NativeType.TP_TRAVERSE, "traverse"),
            slot(NativeType.TP_CLEAR, "clear"),
            slot(NativeType.TP_DEALLOC, "dealloc"));

    private EngineObject() {}

    /**
     * Makes the Python type. Called at start-up: making it runs Python code, which may give up the GIL, and a thread that
     * takes it meanwhile must not run into a class initialisation that waits for the GIL.
     */
    public static void prepare() {
        assert TYPE != 0;
    }

    private static NativeType.Slot slot(int id, String body) {
        return new NativeType.Slot(id, Upcalls.body(MethodHandles.lookup(), EngineObject.class, body));
    }

    /** A new reference to the Python object for a loop. */
    public static long newFor(EventLoop loop) {
        return NativeType.newInstance(TYPE, Registry.add(loop));
    }

    /** The loop behind the {@code _engine} slot of a Python loop. */
    public static EventLoop of(long pythonLoop) {
        long engine = Memory.getLong(pythonLoop + LoopLayout.ENGINE);
        if (engine == 0) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "jvloop.Loop.__init__() was not called");
        }
        return (EventLoop) Registry.get(NativeType.idOf(engine));
    }

    /** Null while an instance is being made: the collector may already look at it. */
    private static EventLoop loopOrNull(long engine) {
        return (EventLoop) Registry.get(NativeType.idOf(engine));
    }

    /** int traverse(PyObject *self, visitproc visit, void *arg) */
    @SuppressWarnings("unused")
    private static long traverse(long self, long visit, long argument, long unused) {
        Visitor visitor = new Visitor(Downcall.plainAt("visitproc", visit), argument);
        visitor.accept(Py.typeOf(self));
        EventLoop loop = loopOrNull(self);
        if (loop != null) {
            loop.visitReferences(visitor);
        }
        return visitor.result;
    }

    /** int clear(PyObject *self) */
    @SuppressWarnings("unused")
    private static long clear(long self, long unused1, long unused2, long unused3) {
        EventLoop loop = loopOrNull(self);
        if (loop != null) {
            loop.clearQueues();
        }
        return 0;
    }

    /** void dealloc(PyObject *self) */
    @SuppressWarnings("unused")
    private static long dealloc(long self, long unused1, long unused2, long unused3) {
        GarbageCollection.PyObject_GC_UnTrack(self);
        EventLoop loop = loopOrNull(self);
        if (loop != null) {
            Registry.remove(NativeType.idOf(self));
            loop.close();
        }
        long ownedType = Py.typeOf(self);
        GarbageCollection.PyObject_GC_Del(self);
        Refs.decref(ownedType);
        return 0;
    }

    /** Calls visitproc until it answers other than 0. */
    private static final class Visitor implements java.util.function.LongConsumer {
        private final CFunction visit;
        private final long argument;
        private int result;

        Visitor(CFunction visit, long argument) {
            this.visit = visit;
            this.argument = argument;
        }

        @Override
        public void accept(long object) {
            if (result == 0) {
                result = (int) visit.call(object, argument);
            }
        }
    }
}
