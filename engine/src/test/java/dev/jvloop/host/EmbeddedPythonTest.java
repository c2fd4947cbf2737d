package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.jvloop.bridge.Bootstrap;
import dev.jvloop.host.Programs.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The other way round: a Java process that loads CPython, in which jvloop attaches to the JVM it finds. */
class EmbeddedPythonTest {
    private static final String WHERE = "import os, sys, sysconfig; print(sys.base_prefix); print(os.path.join("
            + "sysconfig.get_config_var('LIBDIR') or '', sysconfig.get_config_var('INSTSONAME') or '')); "
            + "sys.exit(sys.version_info < (3, 11) or sys.implementation.name != 'cpython'"
            + " or not sysconfig.get_config_var('Py_ENABLE_SHARED'))";

    private static final String SCRIPT = """
        import asyncio, jvloop
        from jvloop._jvm import engine_info

        async def echo(reader, writer):
            writer.write(await reader.readline())
            writer.close()

        async def main():
            server = await asyncio.start_server(echo, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\\n")
            print(await reader.read())
            writer.close()
            server.close()
            await server.wait_closed()
            print(await asyncio.to_thread(lambda: 5))
            before = asyncio.get_running_loop().time()
            await asyncio.sleep(0.01)
            assert asyncio.get_running_loop().time() - before >= 0.01
            print(type(asyncio.get_running_loop()).__mro__[0])

        jvloop.run(main())
        jvloop.run(main())
        print("attached", engine_info().attached)
        """;

    /** An interpreter's home and its shared library. */
    private record Python(String home, Path library) {}

    private static Python pythonOrAbort() throws IOException, InterruptedException {
        for (Path command : Pythons.commandsOnPath()) {
            Output output = Programs.run(List.of(command.toString(), "-c", WHERE), Map.of());
            List<String> lines = output.text().lines().toList();
            if (output.status() == 0 && Files.exists(Path.of(lines.get(1)))) {
                return new Python(lines.get(0), Path.of(lines.get(1)));
            }
        }
        return abort(
                "no python3 on PATH is a CPython 3.11 or newer with a shared library, which alone can be embedded");
    }

    private static Output runHost(Python python, String script, Map<String, String> environment) throws Exception {
        Map<String, String> all = new HashMap<>(environment);
        all.put("PYTHONHOME", python.home);
        String classPath = Programs.builtFrom(EmbeddedPython.class).toString();
        return Programs.runJava(classPath, all, EmbeddedPython.class, python.library.toString(), script);
    }

    @Test
    void aLoopRunsOnTheJvmThatHostsPython(@TempDir Path folder) throws Exception {
        Python python = pythonOrAbort();
        Path classes = Programs.builtFrom(Bootstrap.class);
        Path pythonPackage = classes.resolve("../../../python").toRealPath();
        Output output = runHost(
                python,
                SCRIPT,
                Map.of(
                        "PYTHONPATH", pythonPackage.toString(),
                        "PYTHONDONTWRITEBYTECODE", "1",
                        "JVLOOP_ENGINE_JAR",
                                Programs.jarOf(classes, folder.resolve("engine.jar"))
                                        .toString()));
        String once = "b'hello\\n'\n5\n<class 'jvloop.Loop'>\n";
        assertEquals(once + once + "attached True\n", output.text());
        assertEquals(0, output.status());
    }

    @Test
    void anExceptionOfTheScriptReachesTheHost() throws Exception {
        Python python = pythonOrAbort();
        Output output = runHost(python, "raise KeyError('from the script')", Map.of());
        assertEquals(1, output.status());
        assertTrue(output.text().contains("KeyError: 'from the script'"), output.text());
    }
}
