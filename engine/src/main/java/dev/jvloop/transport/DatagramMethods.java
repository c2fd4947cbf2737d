package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.Calls;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.DatagramTransport} whose bodies are Java. */
@SuppressWarnings("unused")
final class DatagramMethods {
    private DatagramMethods() {}

    /** Gives the Python class its methods. */
    static void attach() {
        long type = Namespace.object("type.DatagramTransport");
        new MethodTable(MethodHandles.lookup(), DatagramMethods.class, type, TransportSlots.WRITABLE::claimOrNull)
                .keywords("sendto", "($self, data, addr=None)", "Send data as one datagram; queued if need be.")
                .positional("_open", "($self, fd, family, connected, has_address, /)", "Take over a datagram socket.");
    }

    private static long sendto(long self, long arguments, long count, long names) {
        if (names != 0 || count < 1 || count > 2) {
            return Calls.newResultAsMethod(DatagramHelpers.SENDTO_BY_NAMES, self, arguments, count, names);
        }
        long destination = count == 2 ? Arguments.get(arguments, 1) : Py.NONE;
        DatagramLayout.of(self).sendTo(Arguments.get(arguments, 0), destination);
        return Py.newNone();
    }

    private static long _open(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_open", count, 4);
        EventLoop loop = TransportSlots.WRITABLE.loopOf(self);
        int fd = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        int family = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 1));
        PyErr.checkOccurred();
        boolean connected = Py.isTrue(Arguments.get(arguments, 2));
        boolean hasAddress = Py.isTrue(Arguments.get(arguments, 3));
        new DatagramTransport(loop, self, fd, family, connected, hasAddress).attach();
        return Py.newNone();
    }
}
