package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.WritePipeTransport} whose bodies are Java. */
@SuppressWarnings("unused")
final class WritePipeMethods {
    private WritePipeMethods() {}

    /** Gives the Python class its methods. */
    static void attach() {
        long type = Namespace.object("type.WritePipeTransport");
        new MethodTable(MethodHandles.lookup(), WritePipeMethods.class, type, TransportSlots.WRITABLE::claimOrNull)
                .oneArgument("write", "($self, data, /)", "Write bytes-like data; what cannot be written is buffered.")
                .positional("_open", "($self, fd, notices_reader, /)", "Take over a descriptor.");
    }

    private static long write(long self, long data, long unused1, long unused2) {
        WritePipeTransport.of(self).write(data);
        return Py.newNone();
    }

    private static long _open(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_open", count, 2);
        EventLoop loop = TransportSlots.WRITABLE.loopOf(self);
        int fd = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        PyErr.checkOccurred();
        boolean noticesReader = Py.isTrue(Arguments.get(arguments, 1));
        new WritePipeTransport(loop, self, fd, noticesReader).attach();
        return Py.newNone();
    }
}
