package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Memory;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.ReadPipeTransport} whose bodies are Java. */
@SuppressWarnings("unused")
public final class ReadPipeMethods {
    private ReadPipeMethods() {}

    /** Gives the Python class its methods. */
    public static void attach() {
        long type = Namespace.object("type.ReadPipeTransport");
        new MethodTable(MethodHandles.lookup(), ReadPipeMethods.class, type, PipeLayout.READ::claimOrNull)
                .noArguments("_pause", "($self, /)", "Stop watching for data.")
                .noArguments("_resume", "($self, /)", "Watch for data again.")
                .oneArgument("_open", "($self, fd, /)", "Take over a descriptor.")
                .noArguments("_begin", "($self, /)", "Begin to read.")
                .noArguments("_end", "($self, /)", "Stop for good; whether it had not stopped before.");
        new MethodTable(MethodHandles.lookup(), ReadPipeMethods.class, type)
                .noArguments("is_closing", "($self, /)", "Whether the pipe is closed or about to be.")
                .noArguments("is_reading", "($self, /)", "Whether data is delivered.")
                .noArguments("_detach", "($self, /)", "Give the descriptor up.");
    }

    private static long is_closing(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(ReadPipeTransport.of(self).isClosing());
    }

    private static long is_reading(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(ReadPipeTransport.of(self).isReading());
    }

    private static long _pause(long self, long unused1, long unused2, long unused3) {
        ReadPipeTransport.of(self).pauseReading();
        return Py.newNone();
    }

    private static long _resume(long self, long unused1, long unused2, long unused3) {
        ReadPipeTransport.of(self).resumeReading();
        return Py.newNone();
    }

    private static long _open(long self, long fd, long unused1, long unused2) {
        EventLoop loop = EngineObject.of(Memory.getLong(self + PipeLayout.READ.loop));
        ReadPipeTransport created = new ReadPipeTransport(loop, self, (int) Longs.PyLong_AsLongLong(fd));
        Refs.setSlot(self, PipeLayout.READ.javaHalf, JavaReference.newFor(created));
        return Py.newNone();
    }

    private static long _begin(long self, long unused1, long unused2, long unused3) {
        ReadPipeTransport.of(self).start();
        return Py.newNone();
    }

    private static long _end(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(ReadPipeTransport.of(self).end());
    }

    private static long _detach(long self, long unused1, long unused2, long unused3) {
        ReadPipeTransport.of(self).detach();
        return Py.newNone();
    }
}
