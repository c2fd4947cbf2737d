package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.loop.LoopGuard;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import java.lang.invoke.MethodHandles;

/** The methods whose bodies are Java, of all transports that can be written: {@code jvloop.WritableTransport}. */
@SuppressWarnings("unused")
final class WritableTransportMethods {
    private WritableTransportMethods() {}

    /** Gives the Python class its methods. */
    static void attach() {
        long type = Namespace.object("type.WritableTransport");
        new MethodTable(
                        MethodHandles.lookup(),
                        WritableTransportMethods.class,
                        type,
                        TransportSlots.WRITABLE::claimOrNull)
                .positional("_set_water_marks", "($self, low, high, /)", "Set the limits of flow control, in bytes.")
                .noArguments("_begin", "($self, /)", "Begin to read, or to watch for the reader's end.");
        new MethodTable(
                        MethodHandles.lookup(),
                        WritableTransportMethods.class,
                        type,
                        TransportSlots.WRITABLE::claimIfFreeOrNull)
                .noArguments("close", "($self, /)", "Close after what is buffered was sent.")
                .oneArgument("_force_close", "($self, exc, /)", "Close at once; connection_lost(exc) follows.");
        new MethodTable(MethodHandles.lookup(), WritableTransportMethods.class, type)
                .noArguments("is_closing", "($self, /)", "Whether close() or abort() was called.")
                .noArguments("get_write_buffer_size", "($self, /)", "Number of bytes not sent yet.")
                .noArguments("get_write_buffer_limits", "($self, /)", "The (low, high) water marks, in bytes.")
                .oneArgument("_call_connection_lost", "($self, exc, /)", "Tell the protocol, and close the descriptor.")
                .noArguments("_detach", "($self, /)", "Unregister; returns the descriptor or -1.")
                .noArguments("_fileno", "($self, /)", "The descriptor, or -1.");
    }

    private static long _set_water_marks(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_set_water_marks", count, 2);
        long low = Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        long high = Longs.PyLong_AsLongLong(Arguments.get(arguments, 1));
        PyErr.checkOccurred();
        WritableTransport.of(self).setWaterMarks(low, high);
        return Py.newNone();
    }

    private static long _begin(long self, long unused1, long unused2, long unused3) {
        WritableTransport.of(self).start();
        return Py.newNone();
    }

    private static long close(long self, long unused1, long unused2, long unused3) {
        WritableTransport transport = WritableTransport.of(self);
        if (!LoopGuard.leaveToLoopThread(transport.loop, self, Names.CLOSE, 0)) {
            transport.close();
        }
        return Py.newNone();
    }

    private static long _force_close(long self, long exception, long unused1, long unused2) {
        WritableTransport transport = WritableTransport.of(self);
        if (!LoopGuard.leaveToLoopThread(transport.loop, self, Names.FORCE_CLOSE, exception)) {
            transport.forceClose(exception);
        }
        return Py.newNone();
    }

    private static long is_closing(long self, long unused1, long unused2, long unused3) {
        // Not WritableTransport.of(): streams and HTTP servers ask after each write.
        WritableTransport transport = (WritableTransport) TransportSlots.WRITABLE.halfOf(self);
        transport.sendKeptUnlessGathering();
        return Py.newBool(transport.isClosing());
    }

    private static long get_write_buffer_size(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(
                Longs.PyLong_FromLongLong(WritableTransport.of(self).bufferedByteCount()));
    }

    private static long get_write_buffer_limits(long self, long unused1, long unused2, long unused3) {
        FlowControl flowControl = WritableTransport.of(self).flowControl;
        return Py.newPair(
                PyErr.checked(Longs.PyLong_FromLongLong(flowControl.lowWater())),
                PyErr.checked(Longs.PyLong_FromLongLong(flowControl.highWater())));
    }

    private static long _call_connection_lost(long self, long exception, long unused1, long unused2) {
        TransportEnd.run(WritableTransport.of(self), exception);
        return Py.newNone();
    }

    private static long _detach(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(
                Longs.PyLong_FromLongLong(WritableTransport.of(self).detach()));
    }

    private static long _fileno(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(
                Longs.PyLong_FromLongLong(WritableTransport.of(self).fd()));
    }
}
