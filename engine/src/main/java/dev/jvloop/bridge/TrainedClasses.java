package dev.jvloop.bridge;

import java.io.IOException;
import java.net.URISyntaxException;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * Has the AOT cache hold all classes of an event loop, those that the training run does not use too. Only that run calls
 * it.
 *
 * <p>A JVM with a cache opens the jar for the first class that is not in the cache. That may be when it cannot: where the
 * process has no descriptor left, and the class is one for errors; or when an update has put another jar there. What
 * only Java programs use, and Java modules in a Python process, opens the jar when it starts.
 */
public final class TrainedClasses {
    private static final String CLASS_FILE = ".class";
    private static final String API = "dev/jvloop/";

    private TrainedClasses() {}

    /** Called through JNI, as all entry points are; the argument is not used. */
    public static long start(long unused) throws IOException, URISyntaxException, ClassNotFoundException {
        ClassLoader loader = TrainedClasses.class.getClassLoader();
        try (JarFile jar = new JarFile(EngineClasses.location().toFile())) {
            for (JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
                String file = entry.getName();
                if (file.endsWith(CLASS_FILE) && !isForJavaPrograms(file)) {
                    String name = file.substring(0, file.length() - CLASS_FILE.length());
                    Class.forName(name.replace('/', '.'), false, loader);
                }
            }
        }
        return 0;
    }

    private static boolean isForJavaPrograms(String file) {
        return file.startsWith(API + "host/")
                || file.startsWith(API + "reactor/")
                || file.lastIndexOf('/') == API.length() - 1;
    }
}
