package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.LoopGuard;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.Loop} by which it comes to transports: they are there from the start. */
@SuppressWarnings("unused")
public final class TransportEntryMethods {
    private TransportEntryMethods() {}

    /** Gives the Python class its methods. */
    public static void attach() {
        long loop = Namespace.object("type.Loop");
        new MethodTable(MethodHandles.lookup(), TransportEntryMethods.class, loop, new LoopGuard())
                .oneArgument(
                        "_owner_of", "($self, fd, /)", "The transport that owns a registered descriptor, or None.");
        new MethodTable(MethodHandles.lookup(), TransportEntryMethods.class, loop)
                .oneArgument("_attach_methods", "($self, part, /)", "Give the classes of a part their methods.");
    }

    private static long _attach_methods(long self, long part, long unused1, long unused2) {
        LateMethods.attach(Py.text(part));
        return Py.newNone();
    }

    private static long _owner_of(long self, long fd, long unused1, long unused2) {
        int number = (int) Longs.PyLong_AsLongLong(fd);
        PyErr.checkOccurred();
        return EngineObject.of(self).ownerOrNull(number) instanceof BaseTransport transport
                ? Refs.incref(transport.self)
                : Py.newNone();
    }
}
