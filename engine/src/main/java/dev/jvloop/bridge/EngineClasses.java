package dev.jvloop.bridge;

import java.net.URISyntaxException;
import java.nio.file.Path;

/** Where the engine's classes are. */
public final class EngineClasses {
    private EngineClasses() {}

    /**
     * The jar, or the directory with the classes.
     *
     * @throws IllegalArgumentException they are in no file
     */
    public static Path location() throws URISyntaxException {
        return Path.of(EngineClasses.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
    }
}
