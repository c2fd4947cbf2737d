package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.LoopGuard;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.ReadPipeTransport} whose bodies are Java. */
@SuppressWarnings("unused")
final class ReadPipeMethods {
    private ReadPipeMethods() {}

    /** Gives the Python class its methods. */
    static void attach() {
        long type = Namespace.object("type.ReadPipeTransport");
        new MethodTable(MethodHandles.lookup(), ReadPipeMethods.class, type, TransportSlots.READ_PIPE::claimOrNull)
                .noArguments("_pause", "($self, /)", "Stop watching for data; returns whether it did so until now.")
                .noArguments("_resume", "($self, /)", "Watch for data again; returns whether it was paused.")
                .oneArgument("_open", "($self, fd, /)", "Take over a descriptor.")
                .noArguments("_begin", "($self, /)", "Begin to read.");
        new MethodTable(
                        MethodHandles.lookup(),
                        ReadPipeMethods.class,
                        type,
                        TransportSlots.READ_PIPE::claimIfFreeOrNull)
                .oneArgument("_force_close", "($self, exc, /)", "Close at once; connection_lost(exc) follows.");
        new MethodTable(MethodHandles.lookup(), ReadPipeMethods.class, type)
                .noArguments("is_closing", "($self, /)", "Whether the pipe is closed or about to be.")
                .noArguments("is_reading", "($self, /)", "Whether data is delivered.")
                .oneArgument("_call_connection_lost", "($self, exc, /)", "Tell the protocol, and close the descriptor.")
                .noArguments("_detach", "($self, /)", "Unregister; returns the descriptor or -1.")
                .noArguments("_fileno", "($self, /)", "The descriptor, or -1.");
    }

    private static long is_closing(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(ReadPipeTransport.of(self).isClosing());
    }

    private static long is_reading(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(ReadPipeTransport.of(self).isReading());
    }

    private static long _pause(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(ReadPipeTransport.of(self).pause());
    }

    private static long _resume(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(ReadPipeTransport.of(self).resume());
    }

    private static long _open(long self, long fd, long unused1, long unused2) {
        EventLoop loop = TransportSlots.READ_PIPE.loopOf(self);
        new ReadPipeTransport(loop, self, (int) Longs.PyLong_AsLongLong(fd)).attach();
        return Py.newNone();
    }

    private static long _begin(long self, long unused1, long unused2, long unused3) {
        ReadPipeTransport.of(self).start();
        return Py.newNone();
    }

    private static long _force_close(long self, long exception, long unused1, long unused2) {
        ReadPipeTransport transport = ReadPipeTransport.of(self);
        if (!LoopGuard.leaveToLoopThread(transport.loop, self, Names.FORCE_CLOSE, exception)) {
            transport.forceClose(exception);
        }
        return Py.newNone();
    }

    private static long _call_connection_lost(long self, long exception, long unused1, long unused2) {
        TransportEnd.run(ReadPipeTransport.of(self), exception);
        return Py.newNone();
    }

    private static long _detach(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(
                Longs.PyLong_FromLongLong(ReadPipeTransport.of(self).detach()));
    }

    private static long _fileno(long self, long unused1, long unused2, long unused3) {
        return PyErr.checked(
                Longs.PyLong_FromLongLong(ReadPipeTransport.of(self).fd()));
    }
}
