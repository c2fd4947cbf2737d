package dev.jvloop;

/**
 * Java code for a Python program that started the JVM: what {@code jvloop.jvm(classpath=[...])} looks for in the jars that
 * it is given, as a {@link java.util.ServiceLoader} does. A jar names its implementations in
 * {@code META-INF/services/dev.jvloop.HostModule}; they are public, with a constructor without parameters.
 */
public interface HostModule {
    /**
     * Called once, by the thread that called {@code jvloop.jvm}, without the GIL. What it throws is raised there, as
     * {@code jvloop.host.JavaError}.
     *
     * @param python this process's Python, which the module may keep, to register functions and to call Python. Closing
     *     it is an {@link IllegalStateException}: it ends as the Python program does
     */
    void register(Python python);
}
