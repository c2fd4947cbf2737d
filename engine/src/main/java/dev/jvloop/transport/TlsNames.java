package dev.jvloop.transport;

import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;

/** Interned names of the methods of asyncio's SSLProtocol, and of others, that the TLS layer calls. */
final class TlsNames {
    static final long DO_FLUSH = Py.internForever("_do_flush");
    static final long ON_HANDSHAKE_COMPLETE = Py.internForever("_on_handshake_complete");
    static final long ON_SHUTDOWN_COMPLETE = Py.internForever("_on_shutdown_complete");
    static final long START_SHUTDOWN = Py.internForever("_start_shutdown");
    static final long CALL_EOF_RECEIVED = Py.internForever("_call_eof_received");
    static final long CONTROL_SSL_READING = Py.internForever("_control_ssl_reading");
    static final long CONTROL_APP_WRITING = Py.internForever("_control_app_writing");
    static final long FATAL_ERROR = Py.internForever("_fatal_error");
    static final long READ_SOON = Py.internForever("_read_soon");
    static final long APP_PROTOCOL_GET_BUFFER = Py.internForever("_app_protocol_get_buffer");
    static final long APP_PROTOCOL_BUFFER_UPDATED = Py.internForever("_app_protocol_buffer_updated");
    static final long APPEND = Py.internForever("append");
    static final long POPLEFT = Py.internForever("popleft");
    static final long WRITE = Py.internForever("write");

    /** The int 0, of which an interpreter has one. */
    static final long ZERO = Namespace.object("int.0");

    private TlsNames() {}

    /** Makes the names when TLS is first used, for the reason that {@link Names#prepare} gives. */
    static void prepare() {
        assert DO_FLUSH != 0;
    }
}
