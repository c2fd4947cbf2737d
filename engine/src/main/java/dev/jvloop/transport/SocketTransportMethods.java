package dev.jvloop.transport;

import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import java.lang.invoke.MethodHandles;

/** The methods whose bodies are Java, of the transports of sockets: {@code jvloop.SocketTransport}. */
@SuppressWarnings("unused")
final class SocketTransportMethods {
    private SocketTransportMethods() {}

    /** Gives the Python class its methods. */
    static void attach() {
        long type = Namespace.object("type.SocketTransport");
        new MethodTable(
                        MethodHandles.lookup(),
                        SocketTransportMethods.class,
                        type,
                        TransportSlots.WRITABLE::claimOrNull)
                .noArguments("_pause", "($self, /)", "Stop watching for data; returns whether it did so until now.")
                .noArguments("_resume", "($self, /)", "Watch for data again; returns whether it was paused.");
        new MethodTable(MethodHandles.lookup(), SocketTransportMethods.class, type)
                .noArguments("is_reading", "($self, /)", "Whether data is delivered.");
    }

    // Not WritableTransport.of(): these two send what was written only where they change something.

    private static long _pause(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(TransportSlots.WRITABLE.halfOf(self).pause());
    }

    private static long _resume(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(TransportSlots.WRITABLE.halfOf(self).resume());
    }

    private static long is_reading(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(WritableTransport.of(self).isReading());
    }
}
