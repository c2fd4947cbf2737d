package dev.jvloop.host;

import dev.jvloop.py.Calls;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;

/** Makes the engine that a Python program started one that Java code can use too. */
public final class Attachment {
    private Attachment() {}

    /**
     * Called through JNI by a thread that holds the GIL, once, after the engine's own start.
     *
     * @param block address of the block that {@code _host.make_host_block} made
     * @return 0, or -1 with the error indicator set
     */
    public static long start(long block) {
        try {
            prepare(block);
            introduce(Interpreter.ofPythonProgram());
            return 0;
        } catch (PythonError e) {
            return -1;
        } catch (Throwable t) {
            PyErr.raiseJava(t);
            return -1;
        }
    }

    /** Makes the names, types and methods of this package. In Python. */
    static void prepare(long block) {
        Namespace.add(block);
        HostNames.prepare();
        TaskEnd.prepare();
        LoggingCalls.prepare();
        JavaMemory.prepare();
        FunctionMethods.attach();
        HostMethods.attach();
        StreamMethods.attach();
    }

    /** Tells Python of its Java half. In Python. */
    static void introduce(Interpreter interpreter) {
        Calls.run(HostNames.SET_HOST, new Calls.Owned(JavaReference.newFor(interpreter)));
    }
}
