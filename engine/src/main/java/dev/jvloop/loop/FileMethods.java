package dev.jvloop.loop;

import dev.jvloop.capi.Longs;
import dev.jvloop.linux.FileCalls;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.Gil;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.PyErr;
import java.lang.invoke.MethodHandles;

/** What {@code sendfile} and {@code sock_sendfile} call on {@code jvloop.Loop}. */
@SuppressWarnings("unused")
public final class FileMethods {
    /**
     * A peer that reads as fast as we send must not keep the loop's thread: this much takes some five milliseconds. With
     * a quarter of it, sending files of 10 MiB costs a tenth more.
     */
    private static final long MOST_AT_ONCE = 16 << 20;

    private FileMethods() {}

    /** Gives the Python class its method. */
    public static void attach() {
        long loop = Namespace.object("type.Loop");
        new MethodTable(MethodHandles.lookup(), FileMethods.class, loop, new LoopGuard())
                .positional(
                        "_send_file",
                        "($self, socket, file, offset, count, /)",
                        "Send once, by descriptors: the number of bytes, 0 at the end of the file, or -errno.");
    }

    private static long _send_file(long self, long arguments, long argumentCount, long unused) {
        Arguments.expectCount("_send_file", argumentCount, 4);
        FileCalls calls = EngineObject.of(self).scratch().fileCalls();
        int socket = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        int file = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 1));
        long offset = Longs.PyLong_AsLongLong(Arguments.get(arguments, 2));
        long count = Longs.PyLong_AsLongLong(Arguments.get(arguments, 3));
        PyErr.checkOccurred();
        long result;
        long threadState = Gil.release();
        try {
            result = calls.sendfile(socket, file, offset, Math.min(count, MOST_AT_ONCE));
        } finally {
            Gil.acquire(threadState);
        }
        return PyErr.checked(Longs.PyLong_FromLongLong(result));
    }
}
