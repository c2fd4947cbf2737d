package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jvloop.bridge.Bootstrap;
import dev.jvloop.host.Programs.Output;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where Python's log records go if a program says so: each in a process of its own, a {@link LoggingProgram}. */
class HostedLoggersTest {
    private static String outputOf(boolean logsToJava, Path... more) throws Exception {
        StringBuilder classPath = new StringBuilder()
                .append(Programs.builtFrom(Bootstrap.class))
                .append(File.pathSeparator)
                .append(Programs.builtFrom(LoggingProgram.class));
        for (Path entry : more) {
            classPath.append(File.pathSeparator).append(entry);
        }
        Output output = Programs.runJava(
                classPath.toString(),
                Map.of(),
                LoggingProgram.class,
                Boolean.toString(logsToJava),
                Pythons.probedOrAbort().executable().toString());
        assertEquals(0, output.status(), output.text());
        return output.text();
    }

    @Test
    void aLoggingLibraryGetsThem(@TempDir Path folder) throws Exception {
        Path services = Files.createDirectories(folder.resolve("META-INF").resolve("services"));
        Files.writeString(services.resolve(System.LoggerFinder.class.getName()), LoggingProgram.Finder.class.getName());
        assertEquals("""
            app INFO started with {0} and more null
            app ERROR failed dev.jvloop.PyException: ZeroDivisionError: division by zero
            quiet
            reported
            """, outputOf(true, folder));
    }

    @Test
    void orTheyStayInPython() throws Exception {
        assertEquals("failed\nquiet\nlost\n\n", outputOf(false));
    }
}
