package dev.jvloop.host;

import dev.jvloop.py.JavaReference;
import dev.jvloop.py.NativeType;
import dev.jvloop.py.Py;
import dev.jvloop.py.Upcalls;
import java.lang.invoke.MethodHandles;

/** The Python callable that a future or task calls when it is done. */
final class TaskEnd {
    private static final long TYPE = JavaReference.newType(
            "jvloop.TaskEnd",
            new NativeType.Slot(NativeType.TP_CALL, Upcalls.body(MethodHandles.lookup(), TaskEnd.class, "call")));

    /** Who is told. */
    interface Listener {
        /** The future is done. With the GIL, in the thread of its loop. */
        void done(long future);
    }

    private TaskEnd() {}

    /** Makes the Python type, as {@code JavaReference.prepare} does. */
    static void prepare() {
        assert TYPE != 0;
    }

    /** A new reference. */
    static long newCallback(Listener listener) {
        return JavaReference.newFor(TYPE, listener);
    }

    /** PyObject *call(PyObject *self, PyObject *args, PyObject *kwargs) */
    @SuppressWarnings("unused")
    private static long call(long self, long arguments, long keywords, long unused) {
        ((Listener) JavaReference.get(self)).done(Py.tupleItem(arguments, 0));
        return Py.newNone();
    }
}
