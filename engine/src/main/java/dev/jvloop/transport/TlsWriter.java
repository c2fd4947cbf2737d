package dev.jvloop.transport;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.Longs;
import dev.jvloop.openssl.OpenSsl;
import dev.jvloop.openssl.RecordBuffers;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/**
 * The way out of a TLS connection: encrypts data and sends the records. What cannot be encrypted yet (before the
 * handshake is over, while the stream transport is full) waits as plaintext in the backlog, which is asyncio's: a deque
 * in a slot of the Python half. Here is only how far its first chunk is encrypted.
 */
final class TlsWriter {
    /** As much plaintext is encrypted at once: what is sent in one system call, about the largest send buffer. */
    private static final int SLICE = 256 * 1024;
    /** Up to this size data is copied to go out behind what OpenSSL wrote by itself: one record. */
    private static final int SMALL_WRITE = 16 * 1024;

    private final TlsConnection connection;
    private long frontOffset;
    private long ownedFailure;

    TlsWriter(TlsConnection connection) {
        this.connection = connection;
    }

    /** Encrypts and sends a bytes-like object, or keeps what cannot be sent now. */
    void write(long data) {
        long state = connection.slot(TlsLayout.STATE);
        if (state != TlsLayout.WRAPPED && state != TlsLayout.DO_HANDSHAKE) {
            writeAfterEnd();
            return;
        }
        if (Py.isBytes(data)) {
            writeMemory(state, data, Py.bytesData(data), Py.size(data));
        } else {
            try (Buffer buffer = Buffer.of(data)) {
                writeMemory(state, 0, buffer.address(), buffer.length());
            }
        }
    }

    /** @param bytesOrNull the bytes object that the memory belongs to, or 0 where what is left must be copied */
    private void writeMemory(long state, long bytesOrNull, long address, long length) {
        if (length == 0) {
            return;
        }
        boolean now = state == TlsLayout.WRAPPED
                && connection.slot(TlsLayout.WRITE_BUFFER_SIZE) == TlsNames.ZERO
                && !connection.isTrue(TlsLayout.SSL_WRITING_PAUSED);
        try {
            long done = now ? encryptAndSend(address, (int) Math.min(length, SLICE)) : 0;
            if (done == length) {
                controlAppWriting();
                return;
            }
            if (now) {
                frontOffset = done;
            }
            long ownedBytes = bytesOrNull != 0
                    ? Refs.incref(bytesOrNull)
                    : PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address, length));
            keep(ownedBytes, done);
            if (state == TlsLayout.WRAPPED) {
                writeBacklog();
            }
        } catch (PythonError e) {
            connection.failed();
        }
    }

    /** Keeps every item of a tuple of bytes-like objects, then encrypts and sends what can be sent. */
    void writeAll(long tuple) {
        long state = connection.slot(TlsLayout.STATE);
        if (state != TlsLayout.WRAPPED && state != TlsLayout.DO_HANDSHAKE) {
            writeAfterEnd();
            return;
        }
        long count = Py.size(tuple);
        for (long i = 0; i < count; i++) {
            long ownedBytes = Buffer.newBytes(Py.tupleItem(tuple, i));
            if (Py.size(ownedBytes) == 0) {
                Refs.decref(ownedBytes);
            } else {
                keep(ownedBytes, 0);
            }
        }
        if (state != TlsLayout.WRAPPED) {
            return;
        }
        try {
            writeBacklog();
        } catch (PythonError e) {
            connection.failed();
        }
    }

    /** asyncio's own method counts such writes, and warns. */
    private void writeAfterEnd() {
        Calls.run(TlsLayout.BASE_WRITE_APPDATA, connection.self, Py.EMPTY_TUPLE);
    }

    /** Puts a bytes object, of which {@code done} bytes are encrypted, at the end of the backlog. */
    private void keep(long ownedBytes, long done) {
        try {
            addToBacklogSize(Py.size(ownedBytes) - done);
            connection.call(connection.slot(TlsLayout.WRITE_BACKLOG), TlsNames.APPEND, ownedBytes);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedBytes));
        }
    }

    private void addToBacklogSize(long change) {
        Refs.setSlot(
                connection.self,
                TlsLayout.WRITE_BUFFER_SIZE,
                PyErr.checked(Longs.PyLong_FromLongLong(backlogSize() + change)));
    }

    private long backlogSize() {
        long size = connection.slot(TlsLayout.WRITE_BUFFER_SIZE);
        return size == TlsNames.ZERO ? 0 : Longs.PyLong_AsLongLong(size);
    }

    /** Encrypts and sends from the backlog, as long as the stream transport has room; all of it where it closes. */
    void writeBacklog() {
        while (backlogSize() > 0 && !mustWait()) {
            if (!encryptBacklogOnce()) {
                break;
            }
        }
        processOutgoing();
    }

    private boolean mustWait() {
        return connection.isTrue(TlsLayout.SSL_WRITING_PAUSED) && connection.slot(TlsLayout.STATE) == TlsLayout.WRAPPED;
    }

    /** Encrypts chunks until there is enough for one system call, and sends; false where OpenSSL must read first. */
    private boolean encryptBacklogOnce() {
        sendOwnOutput(false);
        boolean goOn = true;
        try (RecordBuffers.Output output = connection.buffers.collect(connection.outgoing)) {
            while (goOn && backlogSize() > 0 && output.size() < SLICE) {
                goOn = encryptFront();
            }
            send(output);
        }
        raiseFailure();
        return goOn;
    }

    private boolean encryptFront() {
        long backlog = connection.slot(TlsLayout.WRITE_BACKLOG);
        long ownedChunk = PyErr.checked(Abstract.PySequence_GetItem(backlog, 0));
        try (Buffer chunk = Buffer.of(ownedChunk)) {
            long left = chunk.length() - frontOffset;
            int slice = (int) Math.min(left, SLICE);
            if (slice > 0) {
                int written = encrypt(chunk.address() + frontOffset, slice);
                if (written == 0) {
                    return false;
                }
                frontOffset += written;
                addToBacklogSize(-written);
            }
            if (frontOffset == chunk.length()) {
                frontOffset = 0;
                Refs.decref(PyErr.checked(connection.loop.scratch().callMethod(backlog, TlsNames.POPLEFT)));
            }
            return true;
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedChunk));
        }
    }

    /** @return how many of the bytes are encrypted and sent: all or none */
    private int encryptAndSend(long address, int count) {
        int written;
        if (count <= SMALL_WRITE && connection.outgoing.pending() > 0) {
            // One system call less: a server's first answer goes out with its session tickets.
            written = encrypt(address, count);
            sendOwnOutput(false);
        } else {
            sendOwnOutput(false);
            try (RecordBuffers.Output output = connection.buffers.collect(connection.outgoing)) {
                written = encrypt(address, count);
                send(output);
            }
        }
        raiseFailure();
        return written;
    }

    /** @return all or none; none with {@link #ownedFailure} where OpenSSL failed */
    private int encrypt(long address, int count) {
        OpenSsl.ERR_clear_error();
        int result = OpenSsl.SSL_write(connection.ssl, address, count);
        if (result > 0) {
            return result;
        }
        if (!TlsConnection.meansAgain(OpenSsl.SSL_get_error(connection.ssl, result))) {
            ownedFailure = connection.newOpenSslError();
        }
        return 0;
    }

    private void raiseFailure() {
        long owned = ownedFailure;
        if (owned != 0) {
            ownedFailure = 0;
            throw PyErr.raiseOwned(owned);
        }
    }

    /** Sends what OpenSSL wrote by itself, or while Python drove it: handshakes, alerts, key updates. */
    void processOutgoing() {
        sendOwnOutput(false);
        controlAppWriting();
    }

    /** {@link #processOutgoing} where the transport is closed next. */
    void processLastOutgoing() {
        sendOwnOutput(true);
        controlAppWriting();
    }

    private void sendOwnOutput(boolean closing) {
        int count = connection.outgoing.pending();
        if (count == 0) {
            return;
        }
        long ownedRecords = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(0, count));
        connection.outgoing.take(Py.bytesData(ownedRecords), count);
        try {
            long lower = connection.slot(TlsLayout.TRANSPORT);
            if (Py.typeOf(lower) == TlsLayout.STREAM_TRANSPORT) {
                TransportLayout.toWrite(lower).write(ownedRecords, closing);
            } else if (lower != Py.NONE) {
                connection.call(lower, TlsNames.WRITE, ownedRecords);
            }
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedRecords));
        }
    }

    private void send(RecordBuffers.Output output) {
        output.finish();
        long lower = connection.slot(TlsLayout.TRANSPORT);
        if (output.size() == 0 || lower == Py.NONE) {
            return;
        }
        if (Py.typeOf(lower) == TlsLayout.STREAM_TRANSPORT) {
            TransportLayout.toWrite(lower).writeRecords(output.address(), output.size());
            return;
        }
        // TLS on a transport that is not the engine's, or in TLS.
        long ownedRecords = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(output.address(), output.size()));
        try {
            connection.call(lower, TlsNames.WRITE, ownedRecords);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedRecords));
        }
    }

    /** Whether the program is to be told when all is sent, or has limits that even a ticket may reach. */
    boolean controlsApp() {
        return connection.isTrue(TlsLayout.APP_WRITING_PAUSED)
                || connection.slot(TlsLayout.OUTGOING_HIGH_WATER) == TlsNames.ZERO;
    }

    /** Calls {@code pause_writing} or {@code resume_writing} where asyncio's own method would: only then is it called. */
    private void controlAppWriting() {
        boolean paused = connection.isTrue(TlsLayout.APP_WRITING_PAUSED);
        long size = connection.outgoing.pending() + backlogSize();
        long mark = connection.slot(paused ? TlsLayout.OUTGOING_LOW_WATER : TlsLayout.OUTGOING_HIGH_WATER);
        if (size == 0 && !paused && mark != TlsNames.ZERO) {
            return;
        }
        long limit = Longs.PyLong_AsLongLong(mark);
        if (paused ? size <= limit : size >= limit) {
            connection.call(TlsNames.CONTROL_APP_WRITING);
        }
    }
}
