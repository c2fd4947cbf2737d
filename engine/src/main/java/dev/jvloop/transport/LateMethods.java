package dev.jvloop.transport;

import dev.jvloop.loop.FileMethods;
import dev.jvloop.loop.IntrospectionMethods;
import dev.jvloop.loop.TestingMethods;
import dev.jvloop.py.PyErr;

/**
 * The methods that classes get when a program first needs them, and not as the engine starts: a method takes 0.15 to 0.2
 * ms.
 */
final class LateMethods {
    private LateMethods() {}

    /**
     * Gives the Python classes of a part their methods. Once for each part, by a thread that holds the lock of
     * {@code _bindings.py}.
     */
    static void attach(String part) {
        switch (part) {
            case "transports" -> {
                WritableTransportMethods.attach();
                SocketTransportMethods.attach();
                TransportMethods.attach();
                ListenerMethods.attach();
            }
            case "datagrams" -> DatagramMethods.attach();
            case "pipes" -> {
                ReadPipeMethods.attach();
                WritePipeMethods.attach();
            }
            case "files" -> FileMethods.attach();
            case "introspection" -> IntrospectionMethods.attach();
            case "testing" -> TestingMethods.attach();
            default -> throw PyErr.raise(PyErr.VALUE_ERROR, "no part is called " + part);
        }
    }
}
