package dev.jvloop.transport;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.openssl.OpenSsl;
import dev.jvloop.openssl.RecordBuffers;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/** The way in of a TLS connection: decrypts records, and hands the data to the program's protocol. */
final class TlsReader {
    /** OpenSSL may hold up to one record that came in before, in parts. */
    private static final int RECORD = 17 * 1024;

    /** Reads of up to this many bytes of records go through the loop's plaintext buffer. */
    private static final int SMALL_READ = RecordBuffers.PLAINTEXT_SIZE - RECORD;

    private final TlsConnection connection;
    private final TlsWriter writer;

    /** What {@link #decrypt} found. */
    private long ownedData;

    private long ownedFailure;
    private boolean closeNotify;
    private boolean more;
    private boolean keepsTickets;

    TlsReader(TlsConnection connection, TlsWriter writer) {
        this.connection = connection;
        this.writer = writer;
    }

    private boolean isReadable() {
        long state = connection.slot(TlsLayout.STATE);
        return state == TlsLayout.WRAPPED || state == TlsLayout.FLUSHING;
    }

    /** Takes records of a connection whose handshake is over. */
    void received(long address, int count) {
        if (connection.isTrue(TlsLayout.APP_PROTOCOL_IS_BUFFER)
                || connection.isTrue(TlsLayout.APP_READING_PAUSED)
                || connection.incoming.pending() != 0) {
            connection.incoming.append(address, count);
            read();
            return;
        }
        try {
            decryptInPlace(address, count);
            deliver();
            readCopied();
            afterRead();
        } catch (PythonError e) {
            connection.failed();
        }
    }

    private void decryptInPlace(long address, int count) {
        long own = connection.buffers.show(connection.incoming, address, count);
        try {
            decrypt(count);
        } finally {
            connection.buffers.stopShowing(connection.incoming, own, address, count);
        }
    }

    /** Reads what is there and hands it to the protocol, then goes on with what could not be written. */
    void read() {
        if (!isReadable()) {
            return;
        }
        try {
            if (!connection.isTrue(TlsLayout.APP_READING_PAUSED)) {
                if (connection.isTrue(TlsLayout.APP_PROTOCOL_IS_BUFFER)) {
                    readBuffered();
                } else {
                    more = true;
                    readCopied();
                }
            }
            afterRead();
        } catch (PythonError e) {
            connection.failed();
        }
    }

    /**
     * {@link #read} at the end of a server's handshake in TLS 1.3. OpenSSL has made session tickets then, which nobody
     * waits for: where the program writes soon they go out with that, a system call and a packet less for both sides.
     *
     * @return whether there are tickets left, for {@code _process_outgoing()} to send
     */
    boolean readKeepingTickets() {
        keepsTickets = true;
        try {
            read();
        } finally {
            keepsTickets = false;
        }
        return connection.outgoing.pending() != 0;
    }

    private void afterRead() {
        if (!connection.isTrue(TlsLayout.APP_READING_PAUSED)) {
            if (connection.slot(TlsLayout.WRITE_BUFFER_SIZE) != TlsNames.ZERO) {
                writer.writeBacklog();
            } else if (!keepsTickets || connection.slot(TlsLayout.STATE) != TlsLayout.WRAPPED || writer.controlsApp()) {
                writer.processOutgoing();
            }
        }
        if (connection.isTrue(TlsLayout.SSL_READING_PAUSED) || connection.incoming.pending() > 0) {
            connection.call(TlsNames.CONTROL_SSL_READING);
        }
    }

    private void readCopied() {
        while (more && !connection.isTrue(TlsLayout.APP_READING_PAUSED) && isReadable()) {
            decrypt(connection.incoming.pending());
            deliver();
        }
    }

    /** Decrypts up to all that is there: {@code available} bytes of records, and what OpenSSL has of one before. */
    private void decrypt(int available) {
        ownedData = 0;
        ownedFailure = 0;
        closeNotify = false;
        more = false;
        if (available <= SMALL_READ && connection.buffers.plaintextIsFree()) {
            decryptThroughPlaintext();
            return;
        }
        int capacity = available + RECORD;
        long ownedRoom = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(0, capacity));
        int count = decryptInto(Py.bytesData(ownedRoom), capacity);
        if (count == 0) {
            Refs.decref(ownedRoom);
        } else {
            ownedData = connection.loop.scratch().newShortened(ownedRoom, count);
        }
    }

    private void decryptThroughPlaintext() {
        connection.buffers.usePlaintext(true);
        try {
            int count = decryptInto(connection.buffers.plaintext, RecordBuffers.PLAINTEXT_SIZE);
            if (count > 0) {
                ownedData = connection.loop.scratch().spareBytes.newCopy(connection.buffers.plaintext, count);
            }
        } finally {
            connection.buffers.usePlaintext(false);
        }
    }

    /** Reads records until there are none, or {@code capacity} bytes are read; sets what else was found. */
    private int decryptInto(long target, int capacity) {
        OpenSsl.ERR_clear_error();
        int total = 0;
        while (true) {
            int count = OpenSsl.SSL_read(connection.ssl, target + total, capacity - total);
            if (count <= 0) {
                noteEnd(count);
                return total;
            }
            total += count;
            if (total == capacity) {
                more = true;
                return total;
            }
            // Asking here costs less than a read that finds nothing.
            if (connection.incoming.pending() == 0 && OpenSsl.SSL_has_pending(connection.ssl) == 0) {
                return total;
            }
        }
    }

    private void noteEnd(int result) {
        int error = OpenSsl.SSL_get_error(connection.ssl, result);
        if (error == OpenSsl.SSL_ERROR_ZERO_RETURN) {
            closeNotify = true;
        } else if (!TlsConnection.meansAgain(error)) {
            ownedFailure = connection.newOpenSslError();
        }
    }

    /** Hands over what {@link #decrypt} found: first the data, then the end of the stream or the error. */
    private void deliver() {
        long data = ownedData;
        long failure = ownedFailure;
        boolean closed = closeNotify;
        ownedData = 0;
        ownedFailure = 0;
        if (data != 0) {
            long ownedResult = connection
                    .loop
                    .scratch()
                    .callMethod(connection.slot(TlsLayout.APP_PROTOCOL), Names.DATA_RECEIVED, data);
            connection.loop.scratch().spareBytes.giveBack(data);
            if (ownedResult == 0) {
                PyErr.preserving(() -> Refs.decrefOrNull(failure));
                throw PythonError.SET;
            }
            Refs.decref(ownedResult);
        }
        if (failure != 0) {
            throw PyErr.raiseOwned(failure);
        }
        if (closed) {
            receivedCloseNotify();
        }
    }

    private void receivedCloseNotify() {
        connection.call(TlsNames.CALL_EOF_RECEIVED);
        connection.call(TlsNames.START_SHUTDOWN);
    }

    /** Fills the protocol's buffer; goes on in the next iteration where it was too small. */
    private void readBuffered() {
        long ownedBuffer = connection.newResultForInt(TlsNames.APP_PROTOCOL_GET_BUFFER, connection.incoming.pending());
        ownedFailure = 0;
        closeNotify = false;
        more = false;
        int count;
        try (Buffer buffer = Buffer.writable(ownedBuffer)) {
            count = buffer.length() == 0
                    ? readIntoNothing()
                    : decryptInto(buffer.address(), (int) Math.min(buffer.length(), Integer.MAX_VALUE));
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedBuffer));
        }
        boolean closed = closeNotify;
        long failure = ownedFailure;
        ownedFailure = 0;
        if (more) {
            connection.call(TlsNames.READ_SOON);
        }
        if (count > 0) {
            bufferUpdated(count);
        }
        if (failure != 0) {
            throw PyErr.raiseOwned(failure);
        }
        if (closed) {
            receivedCloseNotify();
        }
    }

    private static int readIntoNothing() {
        throw PyErr.raise(PyErr.RUNTIME_ERROR, "get_buffer() returned an empty buffer");
    }

    private void bufferUpdated(int count) {
        Refs.decref(connection.newResultForInt(TlsNames.APP_PROTOCOL_BUFFER_UPDATED, count));
    }
}
