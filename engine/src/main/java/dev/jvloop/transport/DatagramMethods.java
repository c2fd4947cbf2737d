package dev.jvloop.transport;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Memory;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.LoopGuard;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.DatagramTransport} whose bodies are Java. */
@SuppressWarnings("unused")
public final class DatagramMethods {
    private DatagramMethods() {}

    /** Gives the Python class its methods. */
    public static void attach() {
        long transport = Namespace.object("type.DatagramTransport");
        new MethodTable(MethodHandles.lookup(), DatagramMethods.class, transport, DatagramLayout::claimOrNull)
                .keywords("sendto", "($self, data, addr=None)", "Send data as one datagram; queued if need be.")
                .noArguments("_pause", "($self, /)", "Stop watching for datagrams.")
                .noArguments("_resume", "($self, /)", "Watch for datagrams again.")
                .oneArgument("set_protocol", "($self, protocol, /)", "Set the protocol that gets the datagrams.")
                .positional("_set_water_marks", "($self, low, high, /)", "Set the limits of flow control, in bytes.")
                .positional("_open", "($self, fd, family, connected, has_address, /)", "Take over a datagram socket.")
                .noArguments("_begin", "($self, /)", "Begin to read.")
                .noArguments("_read_ready", "($self, /)", "Receive what is there.");
        new MethodTable(MethodHandles.lookup(), DatagramMethods.class, transport, DatagramLayout::claimIfFreeOrNull)
                .noArguments("close", "($self, /)", "Close after what is queued was sent.")
                .oneArgument("_force_close", "($self, exc, /)", "Close at once; connection_lost(exc) follows.");
        new MethodTable(MethodHandles.lookup(), DatagramMethods.class, transport)
                .noArguments("is_closing", "($self, /)", "Whether close() or abort() was called.")
                .noArguments("is_reading", "($self, /)", "Whether datagrams are delivered.")
                .noArguments("get_write_buffer_size", "($self, /)", "Number of bytes not sent yet.")
                .noArguments("get_write_buffer_limits", "($self, /)", "The (low, high) water marks, in bytes.")
                .noArguments("_detach", "($self, /)", "Unregister; returns the descriptor or -1.")
                .noArguments("_fileno", "($self, /)", "The descriptor, or -1.");
    }

    private static long sendto(long self, long arguments, long count, long names) {
        if (names != 0 || count < 1 || count > 2) {
            return newResultOf(DatagramHelpers.SENDTO_BY_NAMES, self, arguments, count, names);
        }
        long destination = count == 2 ? Arguments.get(arguments, 1) : Py.NONE;
        DatagramLayout.of(self).sendTo(Arguments.get(arguments, 0), destination);
        return Py.newNone();
    }

    /** Calls a Python function with {@code self} in front of the arguments, which it sorts out or complains about. */
    private static long newResultOf(long function, long self, long arguments, long count, long names) {
        long all = count + (names == 0 ? 0 : Py.size(names));
        try (Arena arena = Arena.ofConfined()) {
            long array = arena.allocate(8 * (all + 1), 8).address();
            Memory.putLong(array, self);
            Memory.copy(arguments, array + 8, 8 * all);
            return PyErr.checked(Abstract.PyObject_Vectorcall(function, array, count + 1, names));
        }
    }

    private static long close(long self, long unused1, long unused2, long unused3) {
        DatagramTransport transport = DatagramLayout.of(self);
        if (!LoopGuard.leaveToLoopThread(transport.loop(), self, Names.CLOSE, 0)) {
            transport.close();
        }
        return Py.newNone();
    }

    private static long is_closing(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(DatagramLayout.of(self).isClosing());
    }

    private static long is_reading(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(DatagramLayout.of(self).isReading());
    }

    private static long _pause(long self, long unused1, long unused2, long unused3) {
        DatagramLayout.of(self).pauseReading();
        return Py.newNone();
    }

    private static long _resume(long self, long unused1, long unused2, long unused3) {
        DatagramLayout.of(self).resumeReading();
        return Py.newNone();
    }

    private static long get_write_buffer_size(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(Longs.PyLong_FromLongLong(DatagramLayout.of(self).bufferedByteCount()));
    }

    private static long set_protocol(long self, long protocol, long unused1, long unused2) {
        Refs.setSlot(self, DatagramLayout.PROTOCOL, Refs.incref(protocol));
        return Py.newNone();
    }

    private static long _force_close(long self, long exception, long unused1, long unused2) {
        DatagramTransport transport = DatagramLayout.of(self);
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
        DatagramLayout.of(self).setWaterMarks(low, high);
        return Py.newNone();
    }

    private static long get_write_buffer_limits(long self, long unused1, long unused2, long unused3) {
        FlowControl flowControl = DatagramLayout.of(self).flowControl();
        return Py.newPair(
                PyErr.checked(Longs.PyLong_FromLongLong(flowControl.lowWater())),
                PyErr.checked(Longs.PyLong_FromLongLong(flowControl.highWater())));
    }

    private static long _open(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_open", count, 4);
        EventLoop loop = EngineObject.of(Memory.getLong(self + DatagramLayout.LOOP));
        int fd = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        int family = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 1));
        PyErr.checkOccurred();
        boolean connected = Py.isTrue(Arguments.get(arguments, 2));
        boolean hasAddress = Py.isTrue(Arguments.get(arguments, 3));
        DatagramTransport created = new DatagramTransport(loop, self, fd, family, connected, hasAddress);
        Refs.setSlot(self, DatagramLayout.JAVA_HALF, JavaReference.newFor(created));
        loop.setOwner(fd, created);
        return Py.newNone();
    }

    private static long _begin(long self, long unused1, long unused2, long unused3) {
        DatagramLayout.of(self).start();
        return Py.newNone();
    }

    private static long _read_ready(long self, long unused1, long unused2, long unused3) {
        DatagramLayout.of(self).readBehindCallbacks();
        return Py.newNone();
    }

    private static long _detach(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(Longs.PyLong_FromLongLong(DatagramLayout.of(self).detach()));
    }

    private static long _fileno(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(Longs.PyLong_FromLongLong(DatagramLayout.of(self).fd()));
    }
}
