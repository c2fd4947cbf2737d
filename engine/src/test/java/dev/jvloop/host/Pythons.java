package dev.jvloop.host;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.jvloop.Python;
import dev.jvloop.PythonStartException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The Pythons of this machine. */
final class Pythons {
    private Pythons() {}

    static List<Path> commandsOnPath() {
        List<Path> found = new ArrayList<>();
        for (String name : List.of("python3", "python3.13", "python3.12", "python3.11")) {
            for (String folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
                Path command = Path.of(folder, name);
                if (!folder.isEmpty() && Files.isExecutable(command)) {
                    found.add(command);
                }
            }
        }
        return found;
    }

    /** The first that can run in a Java process; without one the test is aborted, and says why. */
    static InterpreterProbe probedOrAbort() {
        List<String> reasons = new ArrayList<>();
        for (Path command : commandsOnPath()) {
            try {
                return InterpreterProbe.of(command.toString());
            } catch (PythonStartException e) {
                reasons.add(e.getMessage());
            }
        }
        return abort(
                "no python3 on PATH is a CPython 3.11 or newer with a shared library, which alone can run in a Java"
                        + " process. " + String.join("\n", reasons));
    }

    /**
     * One that has packages installed: that of the virtual environment that the environment variable JVLOOP_TEST_VENV
     * names, else one on PATH.
     */
    static Optional<InterpreterProbe> probedWithPackages(String... packages) {
        List<Path> commands = new ArrayList<>(commandsOnPath());
        String environmentOrNull = System.getenv("JVLOOP_TEST_VENV");
        if (environmentOrNull != null) {
            commands.addFirst(Path.of(environmentOrNull, "bin", "python"));
        }
        for (Path command : commands) {
            try {
                InterpreterProbe probe = InterpreterProbe.of(command.toString());
                String imports = "import " + String.join(", ", packages);
                if (Programs.run(List.of(command.toString(), "-c", imports), Map.of())
                                .status()
                        == 0) {
                    return Optional.of(probe);
                }
            } catch (PythonStartException e) {
                // It cannot run in a Java process: the next one.
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        return Optional.empty();
    }

    /** Starts it in this process: once, so every class that does so has a process of its own (Hosted*Test, in the pom). */
    static Python startedOrAbort() {
        return Python.configure().interpreter(probedOrAbort().executable()).start();
    }
}
