package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.StreamTransport} whose bodies are Java. */
@SuppressWarnings("unused")
final class TransportMethods {
    private TransportMethods() {}

    /** Gives the Python class its methods. */
    static void attach() {
        long transport = Namespace.object("type.StreamTransport");
        new MethodTable(MethodHandles.lookup(), TransportMethods.class, transport, TransportSlots.WRITABLE::claimOrNull)
                .oneArgument("write", "($self, data, /)", "Write bytes-like data; what cannot be sent is buffered.")
                .oneArgument("writelines", "($self, list_of_data, /)", "Write several buffers with one system call.")
                .noArguments("write_eof", "($self, /)", "Close the write end after what is buffered was sent.")
                .oneArgument("set_protocol", "($self, protocol, /)", "Set the protocol that gets the data.")
                .positional("_open", "($self, fd, is_tcp, /)", "Take over a connected descriptor.")
                .oneArgument("_set_sending_file", "($self, sending, /)", "Whether a file is being sent.");
        new MethodTable(MethodHandles.lookup(), TransportMethods.class, transport)
                .oneArgument("_address", "($self, which, /)", "sockaddr bytes of 0 the local, 1 the peer's address.");
    }

    private static long write(long self, long data, long unused1, long unused2) {
        // Not TransportLayout.of(), which sends what this method and the next keep.
        TransportLayout.toWrite(self).write(data);
        return Py.newNone();
    }

    private static long writelines(long self, long data, long unused1, long unused2) {
        Py.withTuple(data, TransportLayout.toWrite(self)::writeLines);
        return Py.newNone();
    }

    private static long write_eof(long self, long unused1, long unused2, long unused3) {
        TransportLayout.of(self).writeEof();
        return Py.newNone();
    }

    private static long set_protocol(long self, long protocol, long unused1, long unused2) {
        StreamTransport transport = TransportLayout.of(self);
        transport.setReceiver(Transports.receiverOf(protocol));
        Refs.setSlot(self, TransportLayout.PROTOCOL, Refs.incref(protocol));
        return Py.newNone();
    }

    private static long _open(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_open", count, 2);
        EventLoop loop = TransportSlots.WRITABLE.loopOf(self);
        int fd = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        boolean isTcp = Py.isTrue(Arguments.get(arguments, 1));
        new StreamTransport(loop, self, fd, isTcp, null).attach();
        return Py.newNone();
    }

    private static long _set_sending_file(long self, long sending, long unused1, long unused2) {
        TransportLayout.of(self).setSendingFile(Py.isTrue(sending));
        return Py.newNone();
    }

    private static long _address(long self, long which, long unused1, long unused2) {
        SocketAddresses addresses = TransportLayout.of(self).addressesForSocketObject();
        if (addresses == null) {
            return Py.newNone();
        }
        return SocketAddresses.newBytes(Py.smallInt(which) == 0 ? addresses.local() : addresses.peer());
    }
}
