package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.Python;
import dev.jvloop.PythonStartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is found out about an interpreter before anything of it is loaded. Scripts stand in for interpreters. */
class InterpreterProbeTest {
    @TempDir
    private Path folder;

    private Path script(String... lines) throws IOException {
        Path script = Files.writeString(folder.resolve("python"), "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        return Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    }

    private Path answering(String implementation, String version, Path base) throws IOException {
        List<String> answers = List.of(
                implementation,
                folder + "/real",
                "linux",
                version,
                "",
                base.toString(),
                "/nowhere/lib",
                "",
                "",
                "",
                "libpython.a");
        return script("printf '%s\\0' "
                + String.join(" ", answers.stream().map(a -> "'" + a + "'").toList()));
    }

    private static String refusal(Path command) {
        return assertThrows(PythonStartException.class, () -> InterpreterProbe.of(command.toString()))
                .getMessage();
    }

    private static void assertContains(String expected, String text) {
        assertTrue(text.contains(expected), text);
    }

    @Test
    void whatDoesNotExistIsNamed() {
        String text = refusal(folder.resolve("python"));
        assertContains(folder + "/python cannot be run", text);
        assertContains("Install Python 3.11 or newer", text);
    }

    @Test
    void whatIsNoPythonSaysWhatItSaid() throws IOException {
        assertContains(
                "ended with status 3 and said: what is this", refusal(script("echo what is this >&2", "exit 3")));
        assertContains("answered with 1 values", refusal(script("echo hello")));
    }

    @Test
    void otherPythonsAndOldOnesAreRefused() throws IOException {
        assertContains("is pypy; jvloop runs CPython", refusal(answering("pypy", "3.11.1", folder)));
        assertContains("is CPython 3.10.13; jvloop needs 3.11", refusal(answering("cpython", "3.10.13", folder)));
        assertContains("needs 3.11", refusal(answering("cpython", "2.7.18", folder)));
    }

    @Test
    void aMissingLibraryIsListedWithWhatToInstall() throws IOException {
        String text = refusal(answering("cpython", "3.12.4", folder));
        assertContains("\n  /nowhere/lib/libpython3.12.so.1.0", text);
        assertContains("\n  " + folder + "/lib/libpython3.12.so", text);
        assertContains("install the package libpython3.12", text);
    }

    @Test
    void aLibraryBesideARelocatedInterpreterIsFound() throws IOException {
        Path library = Files.createDirectory(folder.resolve("lib")).resolve("libpython3.13.so.1.0");
        Files.createFile(library);
        InterpreterProbe probe =
                InterpreterProbe.of(answering("cpython", "3.13.1", folder).toString());
        assertEquals(new InterpreterProbe(folder.resolve("real"), "3.13.1", "", library), probe);
    }

    @Test
    void whatCannotStartLeavesTheProcessAsItWas() {
        for (int i = 0; i < 2; i++) {
            assertThrows(
                    PythonStartException.class,
                    () -> Python.configure().home(folder).start());
        }
        assertThrows(IllegalArgumentException.class, () -> Python.configure().virtualEnvironment(folder));
    }
}
