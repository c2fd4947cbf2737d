package dev.jvloop.host;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * How to start Python.
 *
 * @param interpreter a path, or a name to be found on PATH
 * @param searchPath what goes in front of {@code sys.path}
 * @param arguments {@code sys.argv[1:]}
 * @param environment variables set before Python starts
 * @param logsToJava whether Python's log records go to System.Logger
 * @param management whether loops are shown in JMX
 */
public record Settings(
        String interpreter,
        List<Path> searchPath,
        List<String> arguments,
        Map<String, String> environment,
        boolean logsToJava,
        boolean management) {
    public Settings {
        searchPath = List.copyOf(searchPath);
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
    }
}
