package dev.jvloop.host;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Where Python's log records go: the loggers of {@link System.Logger}, by the names of Python's. Without the GIL. */
final class PythonLogging {
    /** What Java's levels are called in numbers by Python, whose own levels end where the next begins. */
    private enum Range {
        TRACE(0, Level.TRACE),
        DEBUG(10, Level.DEBUG),
        INFO(20, Level.INFO),
        WARNING(30, Level.WARNING),
        ERROR(40, Level.ERROR);

        final int from;
        final Level level;

        Range(int from, Level level) {
            this.from = from;
            this.level = level;
        }

        static Level levelOf(int number) {
            Level level = Level.TRACE;
            for (Range range : values()) {
                level = number >= range.from ? range.level : level;
            }
            return level;
        }
    }

    /** A record, with the names of the function and the thread where Python knows them. */
    record Entry(
            String logger,
            int number,
            String message,
            Throwable exceptionOrNull,
            String functionOrNull,
            String threadOrNull) {}

    private final Interpreter interpreter;
    private final Map<String, Logger> loggers = new ConcurrentHashMap<>();
    private final boolean isJavaUtilLogging = "java.logging"
            .equals(System.LoggerFinder.getLoggerFinder().getClass().getModule().getName());

    PythonLogging(Interpreter interpreter) {
        this.interpreter = interpreter;
    }

    Interpreter interpreter() {
        return interpreter;
    }

    /** The lowest number that is logged under a name. */
    int threshold(String name) {
        Logger logger = logger(name);
        for (Range range : Range.values()) {
            if (logger.isLoggable(range.level)) {
                return range.from;
            }
        }
        return Integer.MAX_VALUE;
    }

    void log(Entry entry) {
        nameThread(entry.threadOrNull);
        Level level = Range.levelOf(entry.number);
        if (isJavaUtilLogging) {
            JavaUtilLogging.log(entry, level);
        } else {
            logger(entry.logger).log(level, entry.message, entry.exceptionOrNull);
        }
    }

    private Logger logger(String name) {
        return loggers.computeIfAbsent(name, System::getLogger);
    }

    /** A thread that Python made has a number for a name in Java; logs show it. */
    private void nameThread(String nameOrNull) {
        Thread thread = Thread.currentThread();
        if (nameOrNull != null
                && thread.getName().startsWith("Thread-")
                && !interpreter.threads().isInside()) {
            thread.setName(nameOrNull);
        }
    }
}
