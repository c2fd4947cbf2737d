package dev.jvloop.host;

import java.lang.System.Logger.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * Python's records where {@code System.Logger} is java.util.logging, as it is if a program says nothing else.
 *
 * <p>By that way they would all seem to come from one method of ours: java.util.logging takes the caller's name from the
 * stack, and its formatters show that in the place of the logger's name. So here it is told.
 */
final class JavaUtilLogging {
    private JavaUtilLogging() {}

    static void log(PythonLogging.Entry entry, Level level) {
        LogRecord record = new LogRecord(levelOf(level), entry.message());
        record.setLoggerName(entry.logger());
        record.setSourceClassName(entry.logger());
        record.setSourceMethodName(entry.functionOrNull());
        record.setThrown(entry.exceptionOrNull());
        Logger.getLogger(entry.logger()).log(record);
    }

    /** As {@code System.Logger} has them. */
    private static java.util.logging.Level levelOf(Level level) {
        return java.util.logging.Level.parse(Integer.toString(level.getSeverity()));
    }
}
