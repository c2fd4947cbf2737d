package dev.jvloop.transport;

import dev.jvloop.loop.EventLoop;
import dev.jvloop.openssl.OpenSsl;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;

/**
 * The Java half of a {@code SSLProtocol}: what happens for each record of a TLS connection.
 *
 * <p>The way of the data: a {@link StreamTransport} hands over the records that it received, where they lie;
 * {@link #received} lets OpenSSL decrypt them ({@link TlsReader}) on the {@code SSL} of the connection's
 * {@code ssl.SSLObject} and calls {@code data_received} of the program's protocol. {@link TlsWriter#write} lets OpenSSL
 * encrypt from the memory of the bytes object into memory of the loop's, and the stream transport sends from there.
 *
 * <p>The state machine (handshake, closing, timeouts, errors) is asyncio's own {@code SSLProtocol}, which the Python
 * half inherits from, on each version of Python that version's. Its state is in slots of the Python half, where both
 * sides read and write it. Here is what of it OpenSSL's answers decide: which of asyncio's methods is next.
 */
final class TlsLayer {
    private final TlsConnection connection;
    final TlsReader reader;
    final TlsWriter writer;

    TlsLayer(EventLoop loop, long self, long ssl) {
        connection = new TlsConnection(loop, self, ssl);
        writer = new TlsWriter(connection);
        reader = new TlsReader(connection, writer);
    }

    /**
     * Takes records that were received; the caller keeps the Python half alive.
     *
     * @param address of memory that OpenSSL may read until this method returns
     */
    void received(long address, int count) {
        long state = connection.slot(TlsLayout.STATE);
        if (state == TlsLayout.WRAPPED) {
            reader.received(address, count);
            return;
        }
        connection.incoming.append(address, count);
        if (state == TlsLayout.DO_HANDSHAKE) {
            handshake();
        } else if (state == TlsLayout.FLUSHING) {
            connection.call(TlsNames.DO_FLUSH);
        } else if (state == TlsLayout.SHUTDOWN) {
            shutdown();
        }
    }

    /** Goes on with the handshake. */
    void handshake() {
        if (connection.incoming.pending() == 0 && OpenSsl.SSL_is_server(connection.ssl) != 0) {
            // The client speaks first. OpenSSL would take some 20 KiB for the handshake before it finds out.
            return;
        }
        OpenSsl.ERR_clear_error();
        int result = OpenSsl.SSL_do_handshake(connection.ssl);
        if (result == 1) {
            connection.call(TlsNames.ON_HANDSHAKE_COMPLETE, Py.NONE);
        } else {
            notDone(result, TlsNames.ON_HANDSHAKE_COMPLETE, TlsLayout.BASE_DO_HANDSHAKE);
        }
    }

    /** Says close_notify, and goes on where the peer has said it too. */
    void shutdown() {
        if (connection.isTrue(TlsLayout.EOF_RECEIVED)) {
            Calls.run(TlsLayout.BASE_DO_SHUTDOWN, connection.self);
            return;
        }
        OpenSsl.ERR_clear_error();
        int result = OpenSsl.SSL_shutdown(connection.ssl);
        if (result == 0) {
            // Said; asked again it looks for the peer's.
            result = OpenSsl.SSL_shutdown(connection.ssl);
        }
        if (result >= 0) {
            writer.processLastOutgoing();
            connection.call(TlsNames.CALL_EOF_RECEIVED);
            connection.call(TlsNames.ON_SHUTDOWN_COMPLETE, Py.NONE);
        } else {
            notDone(result, TlsNames.ON_SHUTDOWN_COMPLETE, TlsLayout.BASE_DO_SHUTDOWN);
        }
    }

    /**
     * @param complete name of the method that is told of an error
     * @param base asyncio's method, for answers of OpenSSL that are no errors of its own
     */
    private void notDone(int result, long complete, long base) {
        int error = OpenSsl.SSL_get_error(connection.ssl, result);
        if (TlsConnection.meansAgain(error)) {
            writer.processOutgoing();
        } else if (error == OpenSsl.SSL_ERROR_SSL) {
            long ownedError = connection.newOpenSslError();
            try {
                connection.call(complete, ownedError);
            } finally {
                PyErr.preserving(() -> Refs.decref(ownedError));
            }
        } else {
            Calls.run(base, connection.self);
        }
    }
}
