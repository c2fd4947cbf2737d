package dev.jvloop.transport;

import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Objects;
import dev.jvloop.foreign.Memory;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.openssl.MemoryBio;
import dev.jvloop.openssl.OpenSsl;
import dev.jvloop.openssl.RecordBuffers;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;

/** A TLS connection as both directions see it: OpenSSL's objects, and the state that is in the Python half's slots. */
final class TlsConnection {
    final EventLoop loop;
    /** The Python half. Borrowed: it owns this object. */
    final long self;

    final long ssl;
    final MemoryBio incoming;
    final MemoryBio outgoing;
    final RecordBuffers buffers;

    TlsConnection(EventLoop loop, long self, long ssl) {
        this.loop = loop;
        this.self = self;
        this.ssl = ssl;
        this.buffers = loop.scratch().recordBuffers();
        this.incoming = new MemoryBio(OpenSsl.SSL_get_rbio(ssl), loop.scratch().word);
        this.outgoing = new MemoryBio(OpenSsl.SSL_get_wbio(ssl), loop.scratch().word);
    }

    long slot(long offset) {
        return Memory.getLong(self + offset);
    }

    boolean isTrue(long offset) {
        return slot(offset) == Py.TRUE;
    }

    /** Whether an error of OpenSSL's says that it goes on when the peer, or the transport below, has got on. */
    static boolean meansAgain(int error) {
        return error == OpenSsl.SSL_ERROR_WANT_READ
                || error == OpenSsl.SSL_ERROR_WANT_WRITE
                || error == OpenSsl.SSL_ERROR_SYSCALL;
    }

    /** Calls a method of the Python half. */
    void call(long name) {
        Refs.decref(PyErr.checked(loop.scratch().callMethod(self, name)));
    }

    /** Calls a method of the Python half with a borrowed argument. */
    void call(long name, long argument) {
        call(self, name, argument);
    }

    /** Calls a method of any object with a borrowed argument. */
    void call(long object, long name, long argument) {
        Refs.decref(PyErr.checked(loop.scratch().callMethod(object, name, argument)));
    }

    /** The result of a method of the Python half that takes an int. */
    long newResultForInt(long name, long number) {
        long ownedNumber = PyErr.checked(Longs.PyLong_FromLongLong(number));
        try {
            return PyErr.checked(loop.scratch().callMethod(self, name, ownedNumber));
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedNumber));
        }
    }

    /** The exception for the error that OpenSSL has just left in this thread's queue. */
    long newOpenSslError() {
        return Calls.newResult(TlsLayout.NEW_OPENSSL_ERROR, self, Calls.integer(ssl));
    }

    /** Ends the connection with the raised error, where asyncio has an {@code except Exception}. */
    void failed() {
        long ownedException = PyErr.newTaken();
        if ((int) Objects.PyType_IsSubtype(Py.typeOf(ownedException), TlsLayout.EXCEPTION) == 0) {
            throw PyErr.raiseOwned(ownedException);
        }
        Refs.decref(Calls.newMethodResult(
                self,
                TlsNames.FATAL_ERROR,
                new Calls.Owned(ownedException),
                Calls.string("Fatal error on SSL protocol")));
    }
}
