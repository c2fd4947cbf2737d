package dev.jvloop;

import dev.jvloop.host.Interpreter;
import dev.jvloop.host.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Says which Python to start, and how. Without a word on which, it is that of the virtual environment in
 * {@code $VIRTUAL_ENV}, else {@code python3} on PATH.
 *
 * <p>Not for use by several threads at once.
 */
public final class PythonConfiguration {
    private String interpreterOrNull;
    private final List<Path> searchPath = new ArrayList<>();
    private final List<String> arguments = new ArrayList<>();
    private final Map<String, String> environment = new LinkedHashMap<>();
    private boolean logsToJava = true;
    private boolean management;

    PythonConfiguration() {}

    /** The Python of this executable. It may be a virtual environment's. */
    public PythonConfiguration interpreter(Path executable) {
        interpreterOrNull = executable.toAbsolutePath().toString();
        return this;
    }

    /**
     * The Python of a virtual environment, with the packages installed there.
     *
     * @throws IllegalArgumentException if there is none in this directory
     */
    public PythonConfiguration virtualEnvironment(Path directory) {
        if (!Files.exists(directory.resolve("pyvenv.cfg"))) {
            throw new IllegalArgumentException(
                    directory.toAbsolutePath() + " is no virtual environment: it has no pyvenv.cfg");
        }
        return interpreter(directory.resolve("bin").resolve("python"));
    }

    /** The Python that is installed in this directory: its {@code bin/python3}. */
    public PythonConfiguration home(Path directory) {
        return interpreter(directory.resolve("bin").resolve("python3"));
    }

    /** Adds directories in front of {@code sys.path}, in this order. */
    public PythonConfiguration searchPath(Path... directories) {
        for (Path directory : directories) {
            searchPath.add(directory.toAbsolutePath());
        }
        return this;
    }

    /** Adds to {@code sys.argv} what comes after its first element, which is empty. Python does not interpret them. */
    public PythonConfiguration arguments(String... more) {
        arguments.addAll(List.of(more));
        return this;
    }

    /**
     * Sets an environment variable of this process before Python starts: for {@code PYTHON...} variables, and for what
     * Python code reads in {@code os.environ}. Java's {@code System.getenv} does not show it.
     */
    public PythonConfiguration environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    /**
     * Whether the records of Python's {@code logging} go to {@link System.Logger}, under the same logger names: yes,
     * unless this says no. Handlers that Python code puts on its root logger in place of jvloop's take over.
     */
    public PythonConfiguration logsToJava(boolean yes) {
        logsToJava = yes;
        return this;
    }

    /**
     * Shows running loops in the platform's MBean server, as {@code dev.jvloop:type=Loop,name=...}: {@link LoopMXBean}.
     * Without this word they are not, since starting the platform's MBean server takes a third of a second.
     */
    public PythonConfiguration management() {
        management = true;
        return this;
    }

    /**
     * Starts CPython in this process and returns when it runs. Any thread; a thread of its own, named "jvloop python
     * main", becomes Python's main thread. Signals stay with the JVM. {@code sys.stdout} writes to the same descriptor as
     * {@code System.out}, and does not wait for it.
     *
     * @throws PythonStartException if there is no Python that can run in a Java process; the message says what to do
     * @throws IllegalStateException if a Python runs in this process or has run in it: a process has one
     */
    public Python start() {
        return Interpreter.start(
                new Settings(interpreter(), searchPath, arguments, environment, logsToJava, management));
    }

    private String interpreter() {
        if (interpreterOrNull != null) {
            return interpreterOrNull;
        }
        String virtualEnvironment = System.getenv("VIRTUAL_ENV");
        return virtualEnvironment == null || virtualEnvironment.isEmpty()
                ? "python3"
                : Path.of(virtualEnvironment, "bin", "python").toString();
    }
}
