package dev.jvloop.transport;

import dev.jvloop.loop.TestingMethods;
import dev.jvloop.py.PyErr;

/**
 * The methods that many programs never call. Their classes get them when a program first needs them: a method takes 0.15
 * to 0.2 ms of start-up.
 */
final class RareMethods {
    private RareMethods() {}

    /**
     * Gives the Python classes of a part their methods. Once for each part, by a thread that holds the lock of
     * {@code _bindings.py}.
     */
    static void attach(String part) {
        switch (part) {
            case "datagrams" -> DatagramMethods.attach();
            case "pipes" -> {
                ReadPipeMethods.attach();
                WritePipeMethods.attach();
            }
            case "testing" -> TestingMethods.attach();
            default -> throw PyErr.raise(PyErr.VALUE_ERROR, "no part is called " + part);
        }
    }
}
