package dev.jvloop.transport;

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
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.WritePipeTransport} whose bodies are Java. */
@SuppressWarnings("unused")
public final class WritePipeMethods {
    private WritePipeMethods() {}

    /** Gives the Python class its methods. */
    public static void attach() {
        long type = Namespace.object("type.WritePipeTransport");
        new MethodTable(MethodHandles.lookup(), WritePipeMethods.class, type, PipeLayout.WRITE::claimOrNull)
                .oneArgument("write", "($self, data, /)", "Write bytes-like data; what cannot be written is buffered.")
                .positional("_set_water_marks", "($self, low, high, /)", "Set the limits of flow control, in bytes.")
                .positional("_open", "($self, fd, notices_reader, /)", "Take over a descriptor.")
                .noArguments("_begin", "($self, /)", "Begin to watch for the reader's end.")
                .noArguments("_end", "($self, /)", "Stop for good; whether it had not stopped before.");
        new MethodTable(MethodHandles.lookup(), WritePipeMethods.class, type, PipeLayout.WRITE::claimIfFreeOrNull)
                .noArguments("write_eof", "($self, /)", "Close after what is buffered was written.");
        new MethodTable(MethodHandles.lookup(), WritePipeMethods.class, type)
                .noArguments("is_closing", "($self, /)", "Whether the pipe is closed or about to be.")
                .noArguments("get_write_buffer_size", "($self, /)", "Number of bytes not written yet.")
                .noArguments("get_write_buffer_limits", "($self, /)", "The (low, high) water marks, in bytes.")
                .noArguments("_detach", "($self, /)", "Give the descriptor up.");
    }

    private static long write(long self, long data, long unused1, long unused2) {
        WritePipeTransport.of(self).write(data);
        return Py.newNone();
    }

    private static long write_eof(long self, long unused1, long unused2, long unused3) {
        WritePipeTransport transport = WritePipeTransport.of(self);
        if (!LoopGuard.leaveToLoopThread(transport.loop, self, Names.CLOSE, 0)) {
            transport.writeEof();
        }
        return Py.newNone();
    }

    private static long is_closing(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(WritePipeTransport.of(self).isClosing());
    }

    private static long get_write_buffer_size(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(
                Longs.PyLong_FromLongLong(WritePipeTransport.of(self).bufferedByteCount()));
    }

    private static long get_write_buffer_limits(long self, long unused1, long unused2, long unused3) {
        FlowControl flowControl = WritePipeTransport.of(self).flowControl();
        return Py.newPair(
                PyErr.checked(Longs.PyLong_FromLongLong(flowControl.lowWater())),
                PyErr.checked(Longs.PyLong_FromLongLong(flowControl.highWater())));
    }

    private static long _set_water_marks(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_set_water_marks", count, 2);
        long low = Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        long high = Longs.PyLong_AsLongLong(Arguments.get(arguments, 1));
        PyErr.checkOccurred();
        WritePipeTransport.of(self).setWaterMarks(low, high);
        return Py.newNone();
    }

    private static long _open(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_open", count, 2);
        EventLoop loop = EngineObject.of(Memory.getLong(self + PipeLayout.WRITE.loop));
        int fd = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        boolean noticesReader = Py.isTrue(Arguments.get(arguments, 1));
        WritePipeTransport created = new WritePipeTransport(loop, self, fd, noticesReader);
        Refs.setSlot(self, PipeLayout.WRITE.javaHalf, JavaReference.newFor(created));
        return Py.newNone();
    }

    private static long _begin(long self, long unused1, long unused2, long unused3) {
        WritePipeTransport.of(self).start();
        return Py.newNone();
    }

    private static long _end(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(WritePipeTransport.of(self).end());
    }

    private static long _detach(long self, long unused1, long unused2, long unused3) {
        WritePipeTransport.of(self).detach();
        return Py.newNone();
    }
}
