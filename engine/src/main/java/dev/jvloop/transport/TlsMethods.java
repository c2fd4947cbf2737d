package dev.jvloop.transport;

import dev.jvloop.foreign.Memory;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.openssl.OpenSsl;
import dev.jvloop.py.Arguments;
import dev.jvloop.py.Calls;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Layout;
import dev.jvloop.py.MethodTable;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import dev.jvloop.py.ThreadGuard;
import java.lang.invoke.MethodHandles;

/** The methods of {@code SSLProtocol} and {@code SSLTransport} whose bodies are Java. */
@SuppressWarnings("unused")
final class TlsMethods {
    private TlsMethods() {}

    /** Gives the Python classes their methods. */
    static void attach() {
        new MethodTable(MethodHandles.lookup(), TlsMethods.class, TlsLayout.SSL_PROTOCOL_TYPE, TlsMethods::claimOrNull)
                .positional("_open_layer", "($self, ssl_socket, ssl_context, /)", "Take up an _ssl._SSLSocket.")
                .noArguments("_do_handshake", "($self, /)", "Go on with the handshake.")
                .noArguments("_do_shutdown", "($self, /)", "Go on with the end.")
                .noArguments("_do_read", "($self, /)", "Decrypt what is there and hand it to the protocol.")
                .noArguments(
                        "_read_keeping_tickets",
                        "($self, /)",
                        "_do_read that sends no session tickets; whether there are any.")
                .noArguments("_do_write", "($self, /)", "Encrypt and send what is kept.")
                .noArguments("_process_outgoing", "($self, /)", "Send what OpenSSL wrote by itself.")
                .oneArgument("_write_appdata", "($self, list_of_data, /)", "Encrypt and send several buffers.");
        new MethodTable(
                        MethodHandles.lookup(),
                        TlsMethods.class,
                        TlsLayout.SSL_TRANSPORT_TYPE,
                        TlsMethods::claimForTransportOrNull)
                .oneArgument("write", "($self, data, /)", "Write bytes-like data; what cannot be sent is buffered.");
    }

    /** Keeps a protocol to the thread that has its loop, in free-threaded Python. */
    private static ThreadGuard.Claim claimOrNull(long protocol) {
        EventLoop loopOrNull = loopOrNull(protocol);
        return loopOrNull == null ? null : loopOrNull.claimOrNull();
    }

    private static EventLoop loopOrNull(long protocol) {
        long loop = Memory.getLong(protocol + TlsLayout.LOOP);
        return loop == 0 ? null : EngineObject.of(loop);
    }

    private static ThreadGuard.Claim claimForTransportOrNull(long transport) {
        // Another thread may be closing the transport, which lets go of the protocol.
        long ownedProtocol = Refs.newFromSlotOrNull(transport, TlsLayout.SSL_PROTOCOL);
        EventLoop loopOrNull = ownedProtocol == 0 || ownedProtocol == Py.NONE ? null : loopOrNull(ownedProtocol);
        Refs.decrefOrNull(ownedProtocol);
        return loopOrNull == null ? null : loopOrNull.claimOrNull();
    }

    private static final int SSL_APP_DATA = 0;

    private static long _open_layer(long self, long arguments, long count, long unused) {
        Arguments.expectCount("_open_layer", count, 2);
        long sslSocket = Arguments.get(arguments, 0);
        long ssl = Memory.getLong(sslSocket + TlsLayout.SSL);
        long context = Memory.getLong(Arguments.get(arguments, 1) + Layout.HEADER);
        if (ssl == 0
                || OpenSsl.SSL_get_SSL_CTX(ssl) != context
                || OpenSsl.SSL_get_ex_data(ssl, SSL_APP_DATA) != sslSocket) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "jvloop did not find OpenSSL's SSL in the ssl.SSLObject");
        }
        TlsLayer layer = new TlsLayer(EngineObject.of(Memory.getLong(self + TlsLayout.LOOP)), self, ssl);
        Refs.setSlot(self, TlsLayout.LAYER, JavaReference.newFor(layer));
        return Py.newNone();
    }

    private static long _do_handshake(long self, long unused1, long unused2, long unused3) {
        TlsLayout.layerOf(self).handshake();
        return Py.newNone();
    }

    private static long _do_shutdown(long self, long unused1, long unused2, long unused3) {
        TlsLayout.layerOf(self).shutdown();
        return Py.newNone();
    }

    private static long _do_read(long self, long unused1, long unused2, long unused3) {
        TlsLayout.layerOf(self).reader.read();
        return Py.newNone();
    }

    private static long _read_keeping_tickets(long self, long unused1, long unused2, long unused3) {
        return Py.newBool(TlsLayout.layerOf(self).reader.readKeepingTickets());
    }

    private static long _do_write(long self, long unused1, long unused2, long unused3) {
        TlsLayout.layerOf(self).writer.writeBacklog();
        return Py.newNone();
    }

    private static long _process_outgoing(long self, long unused1, long unused2, long unused3) {
        TlsLayout.layerOf(self).writer.processOutgoing();
        return Py.newNone();
    }

    private static long _write_appdata(long self, long data, long unused1, long unused2) {
        Py.withTuple(data, TlsLayout.layerOf(self).writer::writeAll);
        return Py.newNone();
    }

    private static long write(long self, long data, long unused1, long unused2) {
        if (!Py.isBytesLike(data)) {
            throw PyErr.raise(PyErr.TYPE_ERROR, "data: expecting a bytes-like instance, got " + Py.typeName(data));
        }
        // The protocol may lose its last other reference while it writes.
        long ownedProtocol = Refs.newFromSlotOrNull(self, TlsLayout.SSL_PROTOCOL);
        try {
            if (ownedProtocol == 0 || ownedProtocol == Py.NONE) {
                // Closed twice, or never made: asyncio's own method says so.
                return Calls.newResult(TlsLayout.BASE_WRITE, self, data);
            }
            TlsLayout.layerOf(ownedProtocol).writer.write(data);
        } finally {
            PyErr.preserving(() -> Refs.decrefOrNull(ownedProtocol));
        }
        return Py.newNone();
    }
}
