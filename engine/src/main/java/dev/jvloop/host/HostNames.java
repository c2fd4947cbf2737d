package dev.jvloop.host;

import dev.jvloop.capi.Objects;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;

/** What {@code jvloop._host} handed over: helpers and types, borrowed for the life of the interpreter. */
final class HostNames {
    static final long SET_UP = Namespace.object("helper.set_up");
    static final long EXECUTE = Namespace.object("helper.execute");
    static final long EVALUATE = Namespace.object("helper.evaluate");
    static final long DESCRIBE_EXCEPTION = Namespace.object("helper.describe_exception");
    static final long TYPE_NAME = Namespace.object("helper.type_name");
    static final long MAKE = Namespace.object("helper.make");
    static final long TAKE_APART = Namespace.object("helper.take_apart");
    static final long FIELDS = Namespace.object("helper.fields");
    static final long ENUM_NAME = Namespace.object("helper.enum_name");
    static final long NUMBER = Namespace.object("helper.number");
    static final long LOOP_RUN = Namespace.object("type.LoopRun");
    static final long START_TASK = Namespace.object("helper.start_task");
    static final long LOG_TO_JAVA = Namespace.object("helper.log_to_java");
    static final long SET_HOST = Namespace.object("helper.set_host");
    static final long ADD_FUNCTION = Namespace.object("helper.add_function");
    static final long REMOVE_FUNCTION = Namespace.object("helper.remove_function");
    static final long IS_FUNCTION_NAME = Namespace.object("helper.is_function_name");
    static final long NEW_JAVA_ERROR = Namespace.object("helper.new_java_error");
    static final long NEW_CANCELLED_ERROR = Namespace.object("helper.new_cancelled_error");
    static final long NEW_JAVA_OBJECT = Namespace.object("helper.new_java_object");
    static final long NEW_FUTURE = Namespace.object("helper.new_future");
    static final long CHECK_EXCEPTION_CLASS = Namespace.object("helper.check_exception_class");
    static final long SERVE_ASGI = Namespace.object("helper.serve_asgi");
    static final long ADOPT = Namespace.object("helper.adopt");
    static final long COUNT_TASKS = Namespace.object("helper.count_tasks");
    static final long EXIT_STATUS = Namespace.object("helper.exit_status");
    static final long NEW_INT = Namespace.object("helper.new_int");
    static final long INT_BYTES = Namespace.object("helper.int_bytes");
    static final long NEW_VIEWS = Namespace.object("helper.new_views");
    static final long NEW_VIEW = Namespace.object("helper.new_view");
    static final long RELEASE_VIEWS = Namespace.object("helper.release_views");
    static final long STR = Namespace.object("type.str");
    static final long INT = Namespace.object("type.int");
    static final long FLOAT = Namespace.object("type.float");
    static final long LIST = Namespace.object("type.list");
    static final long TUPLE = Namespace.object("type.tuple");
    static final long DICT = Namespace.object("type.dict");
    static final long BYTES = Namespace.object("type.bytes");
    static final long BYTEARRAY = Namespace.object("type.bytearray");
    static final long SET = Namespace.object("type.set");
    static final long FROZENSET = Namespace.object("type.frozenset");
    static final long KEYBOARD_INTERRUPT = Namespace.object("type.KeyboardInterrupt");

    static final long BUFFER_ERROR = Namespace.object("type.BufferError");
    static final long CANCELLED_ERROR = Namespace.object("type.CancelledError");

    static final long RESULT = Py.internForever("result");
    static final long RUN = Py.internForever("run");
    static final long STOP = Py.internForever("stop");
    static final long LOOP = Py.internForever("loop");
    static final long GRACE_S = Py.internForever("grace_s");
    static final long SET_EXCEPTION = Py.internForever("set_exception");
    static final long CALL_SOON_THREADSAFE = Py.internForever("call_soon_threadsafe");
    static final long CAUSE = Py.internForever("__cause__");

    private HostNames() {}

    /** Makes the names at start-up, as {@code Names.prepare} does. */
    static void prepare() {
        assert RESULT != 0;
    }

    static boolean isCancelledError(long exception) {
        return (int) Objects.PyType_IsSubtype(Py.typeOf(exception), CANCELLED_ERROR) != 0;
    }
}
