package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** Runs other processes, Java ones too. */
final class Programs {
    private static final int TIME_LIMIT_SECONDS = 90;

    private Programs() {}

    record Output(int status, String text) {}

    /** Runs a command to its end; its standard error is among its output. */
    static Output run(List<String> command, Map<String, String> environment) throws IOException, InterruptedException {
        Path captured = Files.createTempFile("output", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(captured.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        try {
            boolean ended = process.waitFor(TIME_LIMIT_SECONDS, TimeUnit.SECONDS);
            String text = Files.readString(captured);
            assertTrue(ended, () -> command + " hangs: " + text);
            return new Output(process.exitValue(), text);
        } finally {
            process.destroyForcibly();
            Files.delete(captured);
        }
    }

    /** Runs a Java class of the tests. */
    static Output runJava(String classPath, Map<String, String> environment, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                main.getName()));
        command.addAll(List.of(arguments));
        return run(command, environment);
    }

    /** The directory that a class was built to. */
    static Path builtFrom(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    /** The classes and resources of a directory as a jar. */
    static Path jarOf(Path classes, Path jar) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                Files.copy(file, out);
            }
        }
        return jar;
    }
}
