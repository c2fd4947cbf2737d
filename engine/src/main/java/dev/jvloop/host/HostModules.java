package dev.jvloop.host;

import dev.jvloop.HostModule;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ServiceLoader;

/** The {@link HostModule}s in jars that a Python program brings along. */
final class HostModules {
    private HostModules() {}

    /**
     * Has each module in jars or directories register its functions. The classes stay loaded, and see those of this engine,
     * but not those of other calls.
     */
    static void register(Interpreter interpreter, Object[] paths) throws MalformedURLException {
        URL[] urls = new URL[paths.length];
        for (int i = 0; i < urls.length; i++) {
            urls[i] = Path.of((String) paths[i]).toUri().toURL();
        }
        ClassLoader loader = new URLClassLoader(urls, HostModules.class.getClassLoader());
        for (HostModule module : ServiceLoader.load(HostModule.class, loader)) {
            if (module.getClass().getClassLoader() == loader) {
                module.register(interpreter);
            }
        }
    }
}
