package dev.jvloop.py;

/** Interned names that the engine looks up. */
public final class Names {
    public static final long NAME = Py.internForever("__name__");
    public static final long RUN = Py.internForever("_run");
    public static final long EXCEPTION_CONTEXT = Py.internForever("__context__");
    public static final long CONTEXT = Py.internForever("context");
    public static final long LOOP = Py.internForever("loop");
    public static final long TASK = Py.internForever("Task");
    public static final long TASK_NAME = Py.internForever("name");
    public static final long CANCEL = Py.internForever("cancel");
    public static final long CANCELLED = Py.internForever("cancelled");
    public static final long DONE = Py.internForever("done");
    public static final long SELF = Py.internForever("__self__");
    public static final long IS_HELD = Py.internForever("_is_held");
    public static final long SET_RESULT = Py.internForever("set_result");
    public static final long TIME = Py.internForever("time");
    public static final long CONNECTION_MADE = Py.internForever("connection_made");
    public static final long CONNECTION_LOST = Py.internForever("connection_lost");
    public static final long DATA_RECEIVED = Py.internForever("data_received");
    public static final long DATAGRAM_RECEIVED = Py.internForever("datagram_received");
    public static final long ERROR_RECEIVED = Py.internForever("error_received");
    public static final long GET_BUFFER = Py.internForever("get_buffer");
    public static final long BUFFER_UPDATED = Py.internForever("buffer_updated");
    public static final long EOF_RECEIVED = Py.internForever("eof_received");
    public static final long PAUSE_WRITING = Py.internForever("pause_writing");
    public static final long RESUME_WRITING = Py.internForever("resume_writing");

    public static final long BEGIN = Py.internForever("_begin");
    public static final long CALL_CONNECTION_LOST = Py.internForever("_call_connection_lost");
    public static final long ABANDON = Py.internForever("_abandon");
    public static final long CLOSE = Py.internForever("close");
    public static final long STOP_SLEEPING = Py.internForever("_stop_sleeping");
    public static final long FORCE_CLOSE = Py.internForever("_force_close");

    private Names() {}

    /**
     * Makes the names at start-up: interning takes a lock of free-threaded Python's, where the garbage collector may
     * stop a thread, and others must not wait for this class's initialisation then.
     */
    public static void prepare() {
        assert NAME != 0;
    }
}
