package dev.jvloop.host;

import dev.jvloop.Python;
import java.nio.file.Path;
import java.util.ResourceBundle;

/** A Java program in which Python logs, with loggers of its own if its class path says so: {@link Finder}. */
public final class LoggingProgram {
    private LoggingProgram() {}

    /** The loggers of a logging library; they print, all but DEBUG. One of them fails. */
    public static final class Finder extends System.LoggerFinder {
        @Override
        public System.Logger getLogger(String name, Module module) {
            return new Printing(name);
        }
    }

    private record Printing(String name) implements System.Logger {
        @Override
        public String getName() {
            return name;
        }

        @Override
        public boolean isLoggable(Level level) {
            if (name.equals("broken")) {
                throw new IllegalStateException("no disk");
            }
            return level.getSeverity() > Level.DEBUG.getSeverity();
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String text, Throwable thrown) {
            if (isLoggable(level)) {
                System.out.println(name + " " + level + " " + text + " " + thrown);
            }
        }

        @Override
        public void log(Level level, ResourceBundle bundle, String format, Object... values) {
            log(level, bundle, format, (Throwable) null);
        }
    }

    /** {@code args}: whether Python's records go to Java, and the interpreter. */
    public static void main(String[] args) {
        boolean logsToJava = Boolean.parseBoolean(args[0]);
        try (Python python = Python.configure()
                .interpreter(Path.of(args[1]))
                .logsToJava(logsToJava)
                .start()) {
            python.exec("""
                import logging
                log = logging.getLogger("app")
                log.debug("fine")
                log.info("started with {0} and %s", "more")
                try:
                    1 / 0
                except ZeroDivisionError:
                    log.critical("failed", exc_info=logging.root.handlers != [])
                import io, sys
                former, sys.stderr = sys.stderr, io.StringIO()
                logging.getLogger("broken").debug("unheard")
                print("quiet" if not sys.stderr.getvalue() else sys.stderr.getvalue())
                logging.getLogger("broken").warning("lost")
                print("reported" if "no disk" in sys.stderr.getvalue() else sys.stderr.getvalue())
                sys.stderr = former
                """);
        }
    }
}
