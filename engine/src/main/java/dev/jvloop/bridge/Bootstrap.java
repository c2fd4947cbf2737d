package dev.jvloop.bridge;

import dev.jvloop.loop.DrivingMethods;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.LoopMethods;
import dev.jvloop.loop.SleepMethods;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Layout;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.transport.TransportEntryMethods;

/** Where Python enters Java, once in a process. */
public final class Bootstrap {
    private Bootstrap() {}

    // Law: no static initialiser but those that run here may run Python code. It would hold its class's lock while it
    // waits for the GIL, and a thread with the GIL would wait for the lock.

    /**
     * Checks the interpreter's layout and gives the Python classes their methods. Called through JNI by a thread that
     * holds the GIL.
     *
     * @param namespace address of the block described in {@link Namespace}, which lives for ever
     * @return 0, or -1 with the error indicator set
     */
    public static long start(long namespace) {
        try {
            Namespace.add(namespace);
            Layout.check();
            Names.prepare();
            EngineObject.prepare();
            JavaReference.prepare();
            LoopMethods.attach();
            SleepMethods.attach();
            DrivingMethods.attach();
            TransportEntryMethods.attach();
            return 0;
        } catch (PythonError e) {
            return -1;
        } catch (Throwable t) {
            PyErr.raiseJava(t);
            return -1;
        }
    }
}
