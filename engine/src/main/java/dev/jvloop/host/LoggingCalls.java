package dev.jvloop.host;

import dev.jvloop.PyException;
import dev.jvloop.capi.Longs;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Gil;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.NativeType;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import dev.jvloop.py.Upcalls;
import java.lang.invoke.MethodHandles;

/**
 * The two Python callables that {@code _host_logging.py} has of {@link PythonLogging}. They call loggers without the GIL:
 * these take locks, and who holds one may want to call Python.
 */
final class LoggingCalls {
    private static final long THRESHOLD = newType("jvloop.JavaLogThreshold", "threshold");
    private static final long LOG = newType("jvloop.JavaLog", "log");

    private LoggingCalls() {}

    /** Makes the Python types, as {@code JavaReference.prepare} does. */
    static void prepare() {
        assert LOG != 0;
    }

    /** Has Python's records go to Java. In Python. */
    static void route(PythonLogging logging) {
        Calls.run(
                HostNames.LOG_TO_JAVA,
                new Calls.Owned(JavaReference.newFor(THRESHOLD, logging)),
                new Calls.Owned(JavaReference.newFor(LOG, logging)));
    }

    private static long newType(String name, String body) {
        return JavaReference.newType(
                name,
                new NativeType.Slot(
                        NativeType.TP_CALL, Upcalls.body(MethodHandles.lookup(), LoggingCalls.class, body)));
    }

    /** (name) -> number */
    @SuppressWarnings("unused")
    private static long threshold(long self, long arguments, long keywords, long unused) {
        PythonLogging logging = (PythonLogging) JavaReference.get(self);
        String name = Texts.of(Py.tupleItem(arguments, 0));
        long threadState = Gil.release();
        int threshold;
        try {
            threshold = logging.threshold(name);
        } finally {
            Gil.acquire(threadState);
        }
        return PyErr.checked(Longs.PyLong_FromLongLong(threshold));
    }

    /** (name, level, message, exception or None, function or None, thread or None) -> None */
    @SuppressWarnings("unused")
    private static long log(long self, long arguments, long keywords, long unused) {
        PythonLogging logging = (PythonLogging) JavaReference.get(self);
        long exception = Py.tupleItem(arguments, 3);
        PythonLogging.Entry entry = new PythonLogging.Entry(
                Texts.of(Py.tupleItem(arguments, 0)),
                ToJava.integer(Py.tupleItem(arguments, 1)).intValue(),
                Texts.of(Py.tupleItem(arguments, 2)),
                exception == Py.NONE ? null : described(logging, exception),
                textOrNull(Py.tupleItem(arguments, 4)),
                textOrNull(Py.tupleItem(arguments, 5)));
        long threadState = Gil.release();
        try {
            logging.log(entry);
        } finally {
            Gil.acquire(threadState);
        }
        return Py.newNone();
    }

    private static Throwable described(PythonLogging logging, long exception) {
        Throwable described = logging.interpreter().failures().of(Refs.incref(exception));
        letGo(described);
        return described;
    }

    /** A log may keep its records: they keep nothing of Python alive. And they show no callers: nobody threw. */
    private static void letGo(Throwable part) {
        if (part instanceof PyException exception) {
            exception.setCallers(new StackTraceElement[0]);
            exception.exceptionOrNull().close();
            letGo(exception.getCause());
            for (Throwable member : exception.getSuppressed()) {
                letGo(member);
            }
        }
    }

    private static String textOrNull(long string) {
        return string == Py.NONE ? null : Texts.of(string);
    }
}
