package dev.jvloop.transport;

import dev.jvloop.capi.Objects;
import dev.jvloop.foreign.Memory;
import dev.jvloop.linux.SystemCalls;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import dev.jvloop.py.Scratch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Making the transports of accepted connections. */
final class Transports {
    private static final long STREAM_TRANSPORT = Namespace.object("type.StreamTransport");
    private static final long BUFFERED_PROTOCOL = Namespace.object("type.BufferedProtocol");
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_NODELAY = 1;
    private static final long ONE = oneForever();

    private Transports() {}

    private static long oneForever() {
        MemorySegment one = Arena.global().allocate(ValueLayout.JAVA_INT);
        one.set(ValueLayout.JAVA_INT, 0, 1);
        return one.address();
    }

    /** Small writes go out without waiting for the peer's acknowledgement. */
    static void setNoDelay(SystemCalls calls, int fd) {
        calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ONE, 4);
    }

    /**
     * Makes the transport of an accepted connection, which owns {@code fd} from here on, and queues
     * {@code connection_made} and the first read.
     */
    static void accept(EventLoop loop, int fd, SocketAddresses addresses, long protocol, long server, long context) {
        long ownedTransport = PyErr.checked(Objects.PyType_GenericAlloc(STREAM_TRANSPORT, 0));
        // Nobody has seen the object yet, and its slots are empty.
        Memory.putLong(ownedTransport + TransportLayout.LOOP, Refs.incref(loop.self()));
        Memory.putLong(ownedTransport + TransportLayout.PROTOCOL, Refs.incref(protocol));
        Memory.putLong(ownedTransport + TransportLayout.SERVER, Py.newNone());
        Memory.putLong(ownedTransport + TransportLayout.SOCK, Py.newNone());
        Memory.putLong(ownedTransport + TransportLayout.EXTRA, Py.newNone());
        Memory.putLong(ownedTransport + TransportLayout.EMPTY_WAITER, Py.newNone());
        Memory.putLong(ownedTransport + TransportLayout.PROTOCOL_PAUSED, Py.newBool(false));
        Memory.putLong(ownedTransport + TransportLayout.CONTEXT, Refs.incref(context));
        boolean isTcp = addresses.isInternet();
        StreamTransport transport = new StreamTransport(loop, ownedTransport, fd, isTcp, addresses);
        transport.attach();
        try {
            transport.setReceiver(receiverOf(protocol));
            if (isTcp) {
                setNoDelay(loop.calls(), fd);
            }
            if (server != Py.NONE) {
                Calls.run(TransportHelpers.ATTACH_TO_SERVER, server, ownedTransport);
            }
            scheduleStart(loop, ownedTransport, protocol, context);
        } finally {
            Refs.decref(ownedTransport);
        }
    }

    static Receiver receiverOf(long protocol) {
        if (Tls.isProtocol(protocol)) {
            return Receiver.TLS;
        }
        int answer = (int) Objects.PyObject_IsInstance(protocol, BUFFERED_PROTOCOL);
        if (answer < 0) {
            throw PythonError.SET;
        }
        return answer != 0 ? Receiver.BUFFER : Receiver.DATA;
    }

    /** Queues {@code protocol.connection_made(transport)} and, behind it, the beginning of reading. */
    static void scheduleStart(EventLoop loop, long transport, long protocol, long context) {
        long ownedMade = Py.newAttribute(protocol, Names.CONNECTION_MADE);
        long ownedBegin = Py.newAttribute(transport, Names.BEGIN);
        try (Scratch.Piece argument = Scratch.take(8)) {
            Memory.putLong(argument.address(), transport);
            loop.callSoon(ownedMade, argument.address(), 1, context);
            loop.callSoon(ownedBegin, 0, 0, context);
        } finally {
            Refs.decref(ownedMade);
            Refs.decref(ownedBegin);
        }
    }
}
