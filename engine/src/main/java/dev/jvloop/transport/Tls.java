package dev.jvloop.transport;

import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;

/** Whether TLS is set up: that happens when a program first needs it, since its bindings cost start-up time. */
final class Tls {
    /** Written with the GIL held, or by the first of several threads in free-threaded Python, always the same. */
    private static volatile boolean ready;

    private Tls() {}

    /**
     * Takes up OpenSSL's addresses and gives the Python classes of TLS their methods.
     *
     * @param block address of a block as {@link Namespace} describes it, which lives for ever
     */
    static void prepare(long block) {
        Namespace.add(block);
        TlsNames.prepare();
        TlsMethods.attach();
        ready = true;
    }

    /** Whether an object is exactly a {@code SSLProtocol}. */
    static boolean isProtocol(long object) {
        return ready && Py.typeOf(object) == TlsLayout.SSL_PROTOCOL_TYPE;
    }
}
