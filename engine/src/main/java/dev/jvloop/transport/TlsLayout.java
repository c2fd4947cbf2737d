package dev.jvloop.transport;

import dev.jvloop.foreign.Memory;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.PyErr;

/**
 * Offsets, in bytes, of the slots of {@code jvloop}'s {@code SSLProtocol} and {@code SSLTransport}, and what else the
 * Python package hands over for TLS. The names of the slots are those of the attributes that asyncio's own SSLProtocol
 * keeps its state in.
 */
final class TlsLayout {
    static final long LAYER = slot("_layer");
    static final long LOOP = slot("_loop");
    static final long STATE = slot("_state");
    static final long TRANSPORT = slot("_transport");
    static final long APP_PROTOCOL = slot("_app_protocol");
    static final long APP_PROTOCOL_IS_BUFFER = slot("_app_protocol_is_buffer");
    static final long APP_READING_PAUSED = slot("_app_reading_paused");
    static final long APP_WRITING_PAUSED = slot("_app_writing_paused");
    static final long SSL_READING_PAUSED = slot("_ssl_reading_paused");
    static final long SSL_WRITING_PAUSED = slot("_ssl_writing_paused");
    static final long OUTGOING_HIGH_WATER = slot("_outgoing_high_water");
    static final long OUTGOING_LOW_WATER = slot("_outgoing_low_water");
    static final long WRITE_BACKLOG = slot("_write_backlog");
    static final long WRITE_BUFFER_SIZE = slot("_write_buffer_size");
    static final long SSL_PROTOCOL = Namespace.integer("slot.SSLTransport._ssl_protocol");

    /** The values of {@code _state}. */
    static final long DO_HANDSHAKE = Namespace.object("state.DO_HANDSHAKE");

    static final long WRAPPED = Namespace.object("state.WRAPPED");
    static final long FLUSHING = Namespace.object("state.FLUSHING");
    static final long SHUTDOWN = Namespace.object("state.SHUTDOWN");

    static final long SSL_PROTOCOL_TYPE = Namespace.object("type.SSLProtocol");
    static final long SSL_TRANSPORT_TYPE = Namespace.object("type.SSLTransport");
    static final long STREAM_TRANSPORT = Namespace.object("type.StreamTransport");
    static final long EOF_RECEIVED = slot("_eof_received");
    static final long EXCEPTION = Namespace.object("type.Exception");

    /** asyncio's own methods, for what only happens when a connection is over. */
    static final long BASE_WRITE = Namespace.object("base.SSLProtocolTransport.write");

    /** asyncio's own methods again, for answers of OpenSSL that are no errors of its own: asked again, it says the same. */
    static final long BASE_DO_HANDSHAKE = Namespace.object("base.SSLProtocol._do_handshake");

    static final long BASE_DO_SHUTDOWN = Namespace.object("base.SSLProtocol._do_shutdown");
    static final long BASE_WRITE_APPDATA = Namespace.object("base.SSLProtocol._write_appdata");

    static final long NEW_OPENSSL_ERROR = Namespace.object("helper.new_openssl_error");

    /** Offset of the {@code SSL *} in an object of the {@code _ssl} module. */
    static final long SSL = Namespace.integer("offset._SSLSocket.ssl");

    private TlsLayout() {}

    private static long slot(String name) {
        return Namespace.integer("slot.SSLProtocol." + name);
    }

    /** The Java half of a {@code SSLProtocol}. */
    static TlsLayer layerOf(long protocol) {
        long reference = Memory.getLong(protocol + LAYER);
        if (reference == 0) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, "SSLProtocol.__init__() was not called");
        }
        return (TlsLayer) JavaReference.get(reference);
    }
}
