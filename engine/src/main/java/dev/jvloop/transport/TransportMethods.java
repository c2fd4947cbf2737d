package dev.jvloop.transport;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Memory;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.LoopGuard;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.StreamTransport} whose bodies are Java. */
@SuppressWarnings("unused")
public final class TransportMethods {
    private TransportMethods() {}

    /** Gives the Python class its methods. */
    public static void attach() {
        long transport = Namespace.object("type.StreamTransport");
        new MethodTable(MethodHandles.lookup(), TransportMethods.class, transport, new TransportGuard())
                .oneArgument("write", "($self, data, /)", "Write bytes-like data; what cannot be sent is buffered.")
                .oneArgument("writelines", "($self, list_of_data, /)", "Write several buffers with one system call.")
                .noArguments("write_eof", "($self, /)", "Close the write end after what is buffered was sent.")
                .noArguments("_pause", "($self, /)", "Stop watching for data.")
                .noArguments("_resume", "($self, /)", "Watch for data again.")
                .oneArgument("set_protocol", "($self, protocol, /)", "Set the protocol that gets the data.")
                .positional("_set_water_marks", "($self, low, high, /)", "Set the limits of flow control, in bytes.")
                .oneArgument("_open", "($self, fd, /)", "Take over a connected descriptor.")
                .noArguments("_begin", "($self, /)", "Begin to read.")
                .oneArgument("_set_sending_file", "($self, sending, /)", "Whether a file is being sent.");
        new MethodTable(MethodHandles.lookup(), TransportMethods.class, transport, TransportGuard::enterIfFreeOrNull)
                .noArguments("close", "($self, /)", "Close after what is buffered was sent.")
                .oneArgument("_force_close", "($self, exc, /)", "Close at once; connection_lost(exc) follows.");
        new MethodTable(MethodHandles.lookup(), TransportMethods.class, transport)
                .noArguments("is_closing", "($self, /)", "Whether close() or abort() was called.")
                .noArguments("is_reading", "($self, /)", "Whether data is delivered.")
                .noArguments("get_write_buffer_size", "($self, /)", "Number of bytes not sent yet.")
                .noArguments("get_write_buffer_limits", "($self, /)", "The (low, high) water marks, in bytes.")
                .noArguments("_detach", "($self, /)", "Unregister; returns the descriptor or -1.")
                .noArguments("_fileno", "($self, /)", "The descriptor, or -1.")
                .oneArgument("_address", "($self, which, /)", "sockaddr bytes of 0 the local, 1 the peer's address.");
    }

    private static long write(long self, long data, long unused1, long unused2) {
        TransportLayout.of(self).write(data);
        return Py.newNone();
    }

    private static long writelines(long self, long data, long unused1, long unused2) {
        if (Py.isTuple(data)) {
            TransportLayout.of(self).writeLines(data);
            return Py.newNone();
        }
        StreamTransport transport = TransportLayout.of(self);
        long ownedTuple = PyErr.checked(Abstract.PySequence_Tuple(data));
        try {
            transport.writeLines(ownedTuple);
        } finally {
            Refs.decref(ownedTuple);
        }
        return Py.newNone();
    }

    private static long write_eof(long self, long unused1, long unused2, long unused3) {
        TransportLayout.of(self).writeEof();
        return Py.newNone();
    }

    private static long close(long self, long unused1, long unused2, long unused3) {
        StreamTransport transport = TransportLayout.of(self);
        if (!LoopGuard.leaveToLoopThread(transport.loop(), self, Names.CLOSE, 0)) {
            transport.close();
        }
        return Py.newNone();
    }

    private static long is_closing(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(TransportLayout.of(self).isClosing());
    }

    private static long is_reading(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(TransportLayout.of(self).isReading());
    }

    private static long _pause(long self, long unused1, long unused2, long unused3) {
        TransportLayout.of(self).pauseReading();
        return Py.newNone();
    }

    private static long _resume(long self, long unused1, long unused2, long unused3) {
        TransportLayout.of(self).resumeReading();
        return Py.newNone();
    }

    private static long get_write_buffer_size(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(Longs.PyLong_FromLongLong(TransportLayout.of(self).bufferedByteCount()));
    }

    private static long set_protocol(long self, long protocol, long unused1, long unused2) {
        StreamTransport transport = TransportLayout.of(self);
        transport.setReceiver(Transports.receiverOf(protocol));
        Refs.setSlot(self, TransportLayout.PROTOCOL, Refs.incref(protocol));
        return Py.newNone();
    }

    private static long _force_close(long self, long exception, long unused1, long unused2) {
        StreamTransport transport = TransportLayout.of(self);
        if (!LoopGuard.leaveToLoopThread(transport.loop(), self, Names.FORCE_CLOSE, exception)) {
            transport.forceClose(exception);
        }
        return Py.newNone();
    }

    private static long _set_water_marks(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_set_water_marks", count, 2);
        long low = Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        long high = Longs.PyLong_AsLongLong(Arguments.get(arguments, 1));
        PyErr.checkOccurred();
        TransportLayout.of(self).setWaterMarks(low, high);
        return Py.newNone();
    }

    private static long get_write_buffer_limits(long self, long unused1, long unused2, long unused3) {
        FlowControl flowControl = TransportLayout.of(self).flowControl();
        return Py.newPair(
                PyErr.checked(Longs.PyLong_FromLongLong(flowControl.lowWater())),
                PyErr.checked(Longs.PyLong_FromLongLong(flowControl.highWater())));
    }

    private static long _open(long self, long fd, long unused1, long unused2) {
        EventLoop loop = EngineObject.of(Memory.getLong(self + TransportLayout.LOOP));
        Transports.open(loop, self, (int) Longs.PyLong_AsLongLong(fd), null);
        return Py.newNone();
    }

    private static long _begin(long self, long unused1, long unused2, long unused3) {
        TransportLayout.of(self).start();
        return Py.newNone();
    }

    private static long _detach(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(Longs.PyLong_FromLongLong(TransportLayout.of(self).detach()));
    }

    private static long _set_sending_file(long self, long sending, long unused1, long unused2) {
        TransportLayout.of(self).setSendingFile(Py.isTrue(sending));
        return Py.newNone();
    }

    private static long _fileno(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(Longs.PyLong_FromLongLong(TransportLayout.of(self).fd()));
    }

    private static long _address(long self, long which, long unused1, long unused2) {
        SocketAddresses addresses = TransportLayout.of(self).addresses();
        if (addresses == null) {
            return Py.newNone();
        }
        return SocketAddresses.newBytes(Py.smallInt(which) == 0 ? addresses.local() : addresses.peer());
    }
}
