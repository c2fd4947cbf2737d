package dev.jvloop.host;

import dev.jvloop.PythonStartException;
import dev.jvloop.bridge.EngineClasses;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the Python half of this engine is: beside its classes, in {@code python/}, so that both are of one version. The
 * jar is a path that Python imports from.
 */
final class PythonPackage {
    private PythonPackage() {}

    /** The jar, or the directory with the classes. */
    static Path engine() {
        try {
            return EngineClasses.location();
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new PythonStartException("the engine's classes are not in a file or directory", e);
        }
    }

    /** An entry for {@code sys.path}. */
    static Path searchPathEntry() {
        Path engine = engine();
        Path entry = engine.resolve("python");
        if (Files.isDirectory(engine) && !Files.exists(entry.resolve("jvloop"))) {
            throw new PythonStartException("the engine in " + engine + " was built without its Python half");
        }
        return entry;
    }
}
