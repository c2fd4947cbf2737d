package dev.jvloop.transport;

import dev.jvloop.py.Namespace;

/** Python functions for what happens once in a connection's life, or when something went wrong. */
final class TransportHelpers {
    static final long FATAL_ERROR = Namespace.object("helper.transport_fatal_error");
    static final long CALLBACK_FAILED = Namespace.object("helper.transport_callback_failed");
    static final long LOG_EOF = Namespace.object("helper.transport_log_eof");
    static final long LOG_IF_SLOW = Namespace.object("helper.transport_log_if_slow");
    static final long WARN_LOST_WRITE = Namespace.object("helper.warn_lost_write");
    static final long CALL_PROTOCOL = Namespace.object("helper.call_flow_control");
    static final long FAIL_EMPTY_WAITER = Namespace.object("helper.fail_empty_waiter");
    static final long RESOLVE_EMPTY_WAITER = Namespace.object("helper.resolve_empty_waiter");
    static final long SCHEDULE_CONNECTION_LOST = Namespace.object("helper.schedule_connection_lost");
    static final long ACCEPT_FAILED = Namespace.object("helper.accept_failed");
    static final long PROTOCOL_FACTORY_FAILED = Namespace.object("helper.protocol_factory_failed");
    static final long ATTACH_TO_SERVER = Namespace.object("helper.attach_to_server");
    static final long DETACH_FROM_SERVER = Namespace.object("helper.detach_from_server");
    static final int LOST_WRITES_BEFORE_WARNING = (int) Namespace.integer("LOG_THRESHOLD_FOR_CONNLOST_WRITES");

    private TransportHelpers() {}
}
