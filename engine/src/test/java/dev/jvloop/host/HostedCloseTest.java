package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.bridge.Bootstrap;
import dev.jvloop.host.Programs.Output;
import java.io.File;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The end of Python in a Java process: each in a process of its own, a {@link ClosingProgram}. */
class HostedCloseTest {
    private static Output run(Path engine, String way) throws Exception {
        String python = Pythons.probedOrAbort().executable().toString();
        String classPath = engine + File.pathSeparator + Programs.builtFrom(ClosingProgram.class);
        return Programs.runJava(classPath, Map.of(), ClosingProgram.class, way, python);
    }

    private static void assertSays(String expected, Output output) {
        assertEquals(expected, output.text());
        assertEquals(0, output.status());
    }

    private static Path engine() throws Exception {
        return Programs.builtFrom(Bootstrap.class);
    }

    @Test
    void exitHandlersRunAndFilesAreFlushed(@TempDir Path folder) throws Exception {
        // From a jar, as a program has it.
        Path jar = Programs.jarOf(engine(), folder.resolve("engine.jar"));
        assertSays("""
            printed
            exit handler
            closed
            call after close: Python was closed
            handle after close: Python was closed
            second start: Python has run in this process and was closed; a process can start it only once
            """, run(jar, "idle"));
    }

    @Test
    void aBusyThreadIsInterrupted() throws Exception {
        assertSays("""
            WARNING: Python is being closed, and "the busy one" did not come back from it in time: \
            KeyboardInterrupt is raised there
            interrupted: KeyboardInterrupt
            closed
            """, run(engine(), "busy"));
    }

    @Test
    void aThreadThatCannotBeInterruptedIsNamed() throws Exception {
        assertSays("""
            WARNING: Python is being closed, and "the sleeper" did not come back from it in time: \
            KeyboardInterrupt is raised there
            not closed: Python is not ended while threads are in it: "the sleeper"
            call meanwhile: Python was closed
            interrupted: KeyboardInterrupt
            closed at last
            """, run(engine(), "stuck"));
    }

    @Test
    void memoryThatIsSharedEndsOrStays() throws Exception {
        assertSays("""
            closed
            what a function of C had: bsuy
            Python's memory: Already closed
            arena of a view: works
            arena of a slice: Python uses memory of this arena: what was made of a memoryview of it, such as a slice or \
            a numpy array, must be released first
            Java's memory: javas
            """, run(engine(), "memory"));
    }

    @Test
    void loopsThatAreBusyEndAndNothingWaitsForEver() throws Exception {
        assertSays("""
            cancelled
            WARNING: Python is being closed, and "Thread-0", "Thread-1", "Thread-2", "Thread-3" did not come back from it \
            in time: KeyboardInterrupt is raised there
            interrupted: KeyboardInterrupt
            interrupted: KeyboardInterrupt
            interrupted: KeyboardInterrupt
            interrupted: KeyboardInterrupt
            closed
            waiting: cancelled
            spinning: KeyboardInterrupt
            """, run(engine(), "loops"));
    }

    @Test
    void aProgramThatDoesNotCloseEnds() throws Exception {
        Output output = run(engine(), "never");
        assertTrue(output.text().startsWith("not closing"), output::text);
        assertEquals(0, output.status());
    }
}
