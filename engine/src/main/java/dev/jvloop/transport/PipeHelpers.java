package dev.jvloop.transport;

import dev.jvloop.py.Namespace;

/** Python functions for what happens once in a pipe's life, or when something went wrong. */
final class PipeHelpers {
    static final long REACHED_EOF = Namespace.object("helper.pipe_reached_eof");
    static final long CLOSED_BY_READER = Namespace.object("helper.pipe_closed_by_reader");
    static final long CALLBACK_FAILED = Namespace.object("helper.pipe_callback_failed");
    static final long FATAL_ERROR = Namespace.object("helper.pipe_fatal_error");
    static final long SCHEDULE_CONNECTION_LOST = Namespace.object("helper.schedule_pipe_connection_lost");
    static final long CALL_CONNECTION_LOST = Namespace.object("helper.call_pipe_connection_lost");
    static final long WARN_LOST_WRITE = Namespace.object("helper.warn_lost_pipe_write");
    static final long REFUSE_DATA = Namespace.object("helper.refuse_pipe_data");
    static final long DUPLICATE = Namespace.object("helper.duplicate_descriptor");

    private PipeHelpers() {}
}
