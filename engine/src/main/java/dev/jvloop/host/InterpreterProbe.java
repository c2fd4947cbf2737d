package dev.jvloop.host;

import dev.jvloop.PythonStartException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * What an installed interpreter says about itself, and where its shared library is.
 *
 * @param executable its own {@code sys.executable}: not the shell script that a version manager puts on PATH
 * @param version for example {@code 3.13.0}
 * @param abiFlags {@code t} if it is free-threaded
 * @param library its libpython
 */
record InterpreterProbe(Path executable, String version, String abiFlags, Path library) {
    private static final int TIME_LIMIT_SECONDS = 30;

    private static final String QUESTIONS = """
        import os, sys, sysconfig
        get = lambda name: sysconfig.get_config_var(name) or ""
        answers = [
            sys.implementation.name, sys.executable, sys.platform, "%d.%d.%d" % sys.version_info[:3], sys.abiflags,
            getattr(sys, "base_prefix", sys.prefix), get("LIBDIR"), get("LIBPL"), get("MULTIARCH"),
            get("INSTSONAME"), get("LDLIBRARY"),
        ]
        sys.stdout.buffer.write(b"\\0".join(os.fsencode(answer) for answer in answers) + b"\\0")
        """;

    /** The answers, in their order. */
    private record Answers(
            String implementation,
            String executable,
            String platform,
            String version,
            String abiFlags,
            String basePrefix,
            String libraryFolder,
            String configFolder,
            String multiarch,
            String sharedName,
            String linkedName) {
        static final int COUNT = 11;

        Answers(String[] all) {
            this(all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7], all[8], all[9], all[10]);
        }

        String feature() {
            return version.substring(0, version.lastIndexOf('.'));
        }
    }

    /**
     * Asks an interpreter; takes as long as it takes to start, 20 ms or so.
     *
     * @param command a path, or a name to be found on PATH
     * @throws PythonStartException if there is no such interpreter, or not one that can run in this process
     */
    static InterpreterProbe of(String command) {
        String[] parts = ask(command).split("\0", -1);
        if (parts.length != Answers.COUNT + 1) {
            throw new PythonStartException(
                    command + " is no Python that jvloop understands: it answered with " + parts.length + " values");
        }
        Answers answers = new Answers(parts);
        if (!answers.implementation.equals("cpython")) {
            throw new PythonStartException(
                    command + " is " + answers.implementation + "; jvloop runs CPython in the Java process.");
        }
        if (minor(answers) < 11) {
            throw new PythonStartException(
                    command + " is CPython " + answers.version + "; jvloop needs 3.11 or newer.");
        }
        return new InterpreterProbe(
                Path.of(answers.executable), answers.version, answers.abiFlags, libraryOf(command, answers));
    }

    private static int minor(Answers answers) {
        String[] numbers = answers.version.split("\\.", -1);
        return numbers[0].equals("3") ? Integer.parseInt(numbers[1]) : 0;
    }

    private static String ask(String command) {
        File output = null;
        File errors = null;
        try {
            output = File.createTempFile("jvloop-probe", ".out");
            errors = File.createTempFile("jvloop-probe", ".err");
            Process process = new ProcessBuilder(command, "-I", "-c", QUESTIONS)
                    .redirectInput(new File("/dev/null"))
                    .redirectOutput(output)
                    .redirectError(errors)
                    .start();
            if (!process.waitFor(TIME_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new PythonStartException(
                        command + " did not answer within " + TIME_LIMIT_SECONDS + " seconds. Is it a Python?");
            }
            if (process.exitValue() != 0) {
                throw new PythonStartException(command + " is no usable Python: it ended with status "
                        + process.exitValue() + " and said: " + text(errors).strip());
            }
            return text(output);
        } catch (IOException e) {
            throw new PythonStartException(
                    command + " cannot be run: " + e.getMessage()
                            + ". Install Python 3.11 or newer, or say where it is with Python.configure().interpreter().",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PythonStartException("interrupted while " + command + " was asked for its version", e);
        } finally {
            delete(output);
            delete(errors);
        }
    }

    private static String text(File file) throws IOException {
        // File names are in the encoding of the system, which need not be UTF-8.
        return Files.readString(file.toPath(), Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8")));
    }

    private static void delete(File fileOrNull) {
        if (fileOrNull != null && !fileOrNull.delete()) {
            fileOrNull.deleteOnExit();
        }
    }

    private static Path libraryOf(String command, Answers answers) {
        List<Path> looked = candidates(answers);
        for (Path file : looked) {
            if (Files.isRegularFile(file)) {
                return file;
            }
        }
        String name = "libpython" + answers.feature() + answers.abiFlags;
        StringBuilder text = new StringBuilder(command)
                .append(" (CPython ")
                .append(answers.version)
                .append(") has no shared library, without which it cannot run in a Java process. Looked for:");
        looked.forEach(file -> text.append("\n  ").append(file));
        text.append("\nOn Debian and Ubuntu install the package ")
                .append(name)
                .append(
                        "; with pyenv build it with PYTHON_CONFIGURE_OPTS=--enable-shared; pythons of uv and conda have it.");
        throw new PythonStartException(text.toString());
    }

    /** Where a libpython may lie: where the build says, then where distributions and relocated builds have it. */
    private static List<Path> candidates(Answers answers) {
        String name = "libpython" + answers.feature() + answers.abiFlags + ".so";
        Set<String> names = new LinkedHashSet<>();
        for (String said : List.of(answers.sharedName, answers.linkedName)) {
            if (said.contains(".so")) {
                names.add(said);
            }
        }
        names.add(name + ".1.0");
        names.add(name);
        Set<Path> folders = new LinkedHashSet<>();
        for (String said : List.of(answers.libraryFolder, answers.configFolder)) {
            if (!said.isEmpty()) {
                folders.add(Path.of(said));
            }
        }
        if (!answers.libraryFolder.isEmpty() && !answers.multiarch.isEmpty()) {
            folders.add(Path.of(answers.libraryFolder, answers.multiarch));
        }
        Path base = Path.of(answers.basePrefix);
        folders.add(base.resolve("lib"));
        folders.add(base.resolve("lib").resolve(answers.multiarch));
        folders.add(base.resolve("lib64"));
        List<Path> files = new ArrayList<>();
        for (Path folder : folders) {
            for (String file : names) {
                files.add(folder.resolve(file));
            }
        }
        return files;
    }
}
