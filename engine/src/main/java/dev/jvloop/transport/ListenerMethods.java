package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.LoopGuard;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import java.lang.invoke.MethodHandles;

/** The methods of {@code jvloop.Loop} that come before connections: listening, and setting TLS up. */
@SuppressWarnings("unused")
final class ListenerMethods {
    private ListenerMethods() {}

    /** Gives the Python class its methods. */
    static void attach() {
        long loop = Namespace.object("type.Loop");
        new MethodTable(MethodHandles.lookup(), ListenerMethods.class, loop, new LoopGuard())
                .positional(
                        "_listen",
                        "($self, fd, protocol_factory, sock, server, backlog, /)",
                        "Accept connections on a listening socket.");
        new MethodTable(MethodHandles.lookup(), ListenerMethods.class, loop)
                .oneArgument("_prepare_tls", "($self, block, /)", "Set TLS up.");
    }

    private static long _listen(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_listen", count, 5);
        int fd = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 0));
        int backlog = (int) Longs.PyLong_AsLongLong(Arguments.get(arguments, 4));
        PyErr.checkOccurred();
        Listener.start(
                EngineObject.of(self),
                fd,
                Arguments.get(arguments, 1),
                Arguments.get(arguments, 2),
                Arguments.get(arguments, 3),
                backlog);
        return Py.newNone();
    }

    private static long _prepare_tls(long self, long block, long unused1, long unused2) {
        long address = Longs.PyLong_AsLongLong(block);
        PyErr.checkOccurred();
        Tls.prepare(address);
        return Py.newNone();
    }
}
