package dev.jvloop.transport;

import dev.jvloop.py.Namespace;

/** Python functions for what happens once in a pipe's life, or when something went wrong. */
final class PipeHelpers {
    static final long REACHED_EOF = Namespace.object("helper.pipe_reached_eof");
    static final long CLOSED_BY_READER = Namespace.object("helper.pipe_closed_by_reader");
    static final long REFUSE_DATA = Namespace.object("helper.refuse_pipe_data");
    static final long DUPLICATE = Namespace.object("helper.duplicate_descriptor");

    private PipeHelpers() {}
}
