package dev.jvloop.transport;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Memory;
import dev.jvloop.capi.Objects;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.openssl.MemoryBio;
import dev.jvloop.openssl.OpenSsl;
import dev.jvloop.openssl.RecordBuffers;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/**
 * The Java half of a {@code SSLProtocol}: what happens for each record of a TLS connection.
 *
 * <p>The way of the data: a {@link StreamTransport} hands over the records that it received, where they lie;
 * {@link #received} lets OpenSSL decrypt them on the {@code SSL} of the connection's {@code ssl.SSLObject} and calls
 * {@code data_received} of the program's protocol. {@link #write} lets OpenSSL encrypt from the memory of the bytes
 * object into memory of the loop's, and the stream transport sends from there. What cannot be encrypted yet (before the
 * handshake is over, while the stream transport is full) waits as plaintext in the backlog.
 *
 * <p>The state machine (handshake, closing, timeouts, errors) is asyncio's own {@code SSLProtocol}, which the Python
 * half inherits from, on each version of Python that version's. Its state is in slots of the Python half, where both
 * sides read and write it; this half holds none of its own but how far the first chunk of the backlog is encrypted.
 */
final class TlsLayer {
    /** As much plaintext is encrypted at once: what is sent in one system call, about the largest send buffer. */
    private static final int SLICE = 256 * 1024;
    /** OpenSSL may hold up to one record that came in before, in parts. */
    private static final int RECORD = 17 * 1024;

    /** Reads of up to this many bytes of records go through the loop's plaintext buffer. */
    private static final int SMALL_READ = RecordBuffers.PLAINTEXT_SIZE - RECORD;

    private final EventLoop loop;
    /** Borrowed: the Python half owns this object. */
    private final long self;

    private final long ssl;
    private final MemoryBio incoming;
    private final MemoryBio outgoing;
    private final RecordBuffers buffers;
    private long frontOffset;

    /** What {@link #decrypt} found. */
    private long ownedData;

    private long ownedFailure;
    private boolean closeNotify;
    private boolean more;

    TlsLayer(EventLoop loop, long self, long ssl) {
        this.loop = loop;
        this.self = self;
        this.ssl = ssl;
        this.buffers = loop.scratch().recordBuffers();
        this.incoming = new MemoryBio(OpenSsl.SSL_get_rbio(ssl), loop.scratch().word);
        this.outgoing = new MemoryBio(OpenSsl.SSL_get_wbio(ssl), loop.scratch().word);
    }

    private long slot(long offset) {
        return Memory.getLong(self + offset);
    }

    private boolean isTrue(long offset) {
        return slot(offset) == Py.TRUE;
    }

    private boolean isReadable() {
        long state = slot(TlsLayout.STATE);
        return state == TlsLayout.WRAPPED || state == TlsLayout.FLUSHING;
    }

    // ---- from the stream transport ----

    /**
     * Takes records that were received; the caller keeps the Python half alive.
     *
     * @param address of memory that OpenSSL may read until this method returns
     */
    void received(long address, int count) {
        long state = slot(TlsLayout.STATE);
        if (state != TlsLayout.WRAPPED) {
            incoming.append(address, count);
            proceed(state);
        } else if (isTrue(TlsLayout.APP_PROTOCOL_IS_BUFFER)
                || isTrue(TlsLayout.APP_READING_PAUSED)
                || incoming.pending() != 0) {
            incoming.append(address, count);
            read();
        } else {
            try {
                decryptInPlace(address, count);
                deliver();
                readCopied();
                afterRead();
            } catch (PythonError e) {
                failed();
            }
        }
    }

    private void decryptInPlace(long address, int count) {
        long own = buffers.show(incoming, address, count);
        try {
            decrypt(count);
        } finally {
            buffers.stopShowing(incoming, own, address, count);
        }
    }

    private void proceed(long state) {
        if (state == TlsLayout.DO_HANDSHAKE) {
            handshake();
        } else if (state == TlsLayout.FLUSHING) {
            callSelf(TlsNames.DO_FLUSH);
        } else if (state == TlsLayout.SHUTDOWN) {
            shutdown();
        }
    }

    private void callSelf(long name, Object... arguments) {
        long ownedMethod = Py.newAttribute(self, name);
        try {
            Calls.run(ownedMethod, arguments);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedMethod));
        }
    }

    // ---- the steps in a connection's life: what OpenSSL answers decides which of asyncio's methods is next ----

    /** Goes on with the handshake. */
    void handshake() {
        if (incoming.pending() == 0 && OpenSsl.SSL_is_server(ssl) != 0) {
            // The client speaks first. OpenSSL would take some 20 KiB for the handshake before it finds out.
            return;
        }
        OpenSsl.ERR_clear_error();
        int result = OpenSsl.SSL_do_handshake(ssl);
        if (result == 1) {
            callSelf(TlsNames.ON_HANDSHAKE_COMPLETE, Py.NONE);
            return;
        }
        int error = OpenSsl.SSL_get_error(ssl, result);
        if (meansAgain(error)) {
            processOutgoing();
        } else if (error == OpenSsl.SSL_ERROR_SSL) {
            callSelf(TlsNames.ON_HANDSHAKE_COMPLETE, new Calls.Owned(newOpenSslError()));
        } else {
            Calls.run(TlsLayout.BASE_DO_HANDSHAKE, self);
        }
    }

    /** Says close_notify, and goes on where the peer has said it too. */
    void shutdown() {
        if (isTrue(TlsLayout.EOF_RECEIVED)) {
            Calls.run(TlsLayout.BASE_DO_SHUTDOWN, self);
            return;
        }
        OpenSsl.ERR_clear_error();
        int result = OpenSsl.SSL_shutdown(ssl);
        if (result == 0) {
            // Said; asked again it looks for the peer's.
            result = OpenSsl.SSL_shutdown(ssl);
        }
        if (result >= 0) {
            sendOwnOutput(true);
            controlAppWriting();
            callSelf(TlsNames.CALL_EOF_RECEIVED);
            callSelf(TlsNames.ON_SHUTDOWN_COMPLETE, Py.NONE);
            return;
        }
        int error = OpenSsl.SSL_get_error(ssl, result);
        if (meansAgain(error)) {
            processOutgoing();
        } else if (error == OpenSsl.SSL_ERROR_SSL) {
            callSelf(TlsNames.ON_SHUTDOWN_COMPLETE, new Calls.Owned(newOpenSslError()));
        } else {
            Calls.run(TlsLayout.BASE_DO_SHUTDOWN, self);
        }
    }

    /** The exception for the error that OpenSSL has just left in this thread's queue. */
    private long newOpenSslError() {
        return Calls.newResult(TlsLayout.NEW_OPENSSL_ERROR, self, Calls.integer(ssl));
    }

    // ---- reading ----

    /** Reads what is there and hands it to the protocol, then goes on with what could not be written. */
    void read() {
        if (!isReadable()) {
            return;
        }
        try {
            if (!isTrue(TlsLayout.APP_READING_PAUSED)) {
                if (isTrue(TlsLayout.APP_PROTOCOL_IS_BUFFER)) {
                    readBuffered();
                } else {
                    more = true;
                    readCopied();
                }
            }
            afterRead();
        } catch (PythonError e) {
            failed();
        }
    }

    private void afterRead() {
        if (!isTrue(TlsLayout.APP_READING_PAUSED)) {
            if (slot(TlsLayout.WRITE_BUFFER_SIZE) == TlsNames.ZERO) {
                processOutgoing();
            } else {
                writeBacklog();
            }
        }
        if (isTrue(TlsLayout.SSL_READING_PAUSED) || incoming.pending() > 0) {
            callSelf(TlsNames.CONTROL_SSL_READING);
        }
    }

    /** Ends the connection with the raised error, where asyncio has an {@code except Exception}. */
    private void failed() {
        long ownedException = PyErr.newTaken();
        if ((int) Objects.PyType_IsSubtype(Py.typeOf(ownedException), TlsLayout.EXCEPTION) == 0) {
            throw PyErr.raiseOwned(ownedException);
        }
        callSelf(TlsNames.FATAL_ERROR, new Calls.Owned(ownedException), Calls.string("Fatal error on SSL protocol"));
    }

    private void readCopied() {
        while (more && !isTrue(TlsLayout.APP_READING_PAUSED) && isReadable()) {
            decrypt(incoming.pending());
            deliver();
        }
    }

    /** Decrypts up to all that is there: {@code available} bytes of records, and what OpenSSL has of one before. */
    private void decrypt(int available) {
        ownedData = 0;
        ownedFailure = 0;
        closeNotify = false;
        more = false;
        if (available <= SMALL_READ && buffers.plaintextIsFree()) {
            decryptThroughPlaintext();
            return;
        }
        int capacity = available + RECORD;
        long ownedRoom = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(0, capacity));
        int count = decryptInto(Py.bytesData(ownedRoom), capacity);
        if (count == 0) {
            Refs.decref(ownedRoom);
        } else {
            ownedData = Buffer.newShortened(ownedRoom, count, loop.scratch());
        }
    }

    private void decryptThroughPlaintext() {
        buffers.usePlaintext(true);
        try {
            int count = decryptInto(buffers.plaintext, RecordBuffers.PLAINTEXT_SIZE);
            if (count > 0) {
                ownedData = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(buffers.plaintext, count));
            }
        } finally {
            buffers.usePlaintext(false);
        }
    }

    /** Reads records until there are none, or {@code capacity} bytes are read; sets what else was found. */
    private int decryptInto(long target, int capacity) {
        OpenSsl.ERR_clear_error();
        int total = 0;
        while (true) {
            int count = OpenSsl.SSL_read(ssl, target + total, capacity - total);
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
            if (incoming.pending() == 0 && OpenSsl.SSL_has_pending(ssl) == 0) {
                return total;
            }
        }
    }

    private void noteEnd(int result) {
        int error = OpenSsl.SSL_get_error(ssl, result);
        if (error == OpenSsl.SSL_ERROR_ZERO_RETURN) {
            closeNotify = true;
        } else if (!meansAgain(error)) {
            ownedFailure = newOpenSslError();
        }
    }

    private static boolean meansAgain(int error) {
        return error == OpenSsl.SSL_ERROR_WANT_READ
                || error == OpenSsl.SSL_ERROR_WANT_WRITE
                || error == OpenSsl.SSL_ERROR_SYSCALL;
    }

    /** Hands over what {@link #decrypt} found: first the data, then the end of the stream or the error. */
    private void deliver() {
        long data = ownedData;
        long failure = ownedFailure;
        boolean closed = closeNotify;
        ownedData = 0;
        ownedFailure = 0;
        if (data != 0) {
            long ownedResult = loop.scratch().callMethod(slot(TlsLayout.APP_PROTOCOL), Names.DATA_RECEIVED, data);
            Refs.decref(data);
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
        callSelf(TlsNames.CALL_EOF_RECEIVED);
        callSelf(TlsNames.START_SHUTDOWN);
    }

    /** Fills the protocol's buffer; goes on in the next iteration where it was too small. */
    private void readBuffered() {
        long ownedMethod = Py.newAttribute(self, TlsNames.APP_PROTOCOL_GET_BUFFER);
        long ownedBuffer;
        try {
            ownedBuffer = Calls.newResult(ownedMethod, Calls.integer(incoming.pending()));
        } finally {
            Refs.decref(ownedMethod);
        }
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
            callSelf(TlsNames.READ_SOON);
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
        callSelf(TlsNames.APP_PROTOCOL_BUFFER_UPDATED, Calls.integer(count));
    }

    // ---- writing ----

    /** Encrypts and sends a bytes-like object, or keeps what cannot be sent now. */
    void write(long data) {
        long state = slot(TlsLayout.STATE);
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
                && slot(TlsLayout.WRITE_BUFFER_SIZE) == TlsNames.ZERO
                && !isTrue(TlsLayout.SSL_WRITING_PAUSED);
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
            failed();
        }
    }

    /** Keeps every item of a tuple of bytes-like objects, then encrypts and sends what can be sent. */
    void writeAll(long tuple) {
        long state = slot(TlsLayout.STATE);
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
            failed();
        }
    }

    /** asyncio's own method counts such writes, and warns. */
    private void writeAfterEnd() {
        Calls.run(TlsLayout.BASE_WRITE_APPDATA, self, Py.EMPTY_TUPLE);
    }

    /** Puts a bytes object, of which {@code done} bytes are encrypted, at the end of the backlog. */
    private void keep(long ownedBytes, long done) {
        addToBacklogSize(Py.size(ownedBytes) - done);
        long ownedMethod = Py.newAttribute(slot(TlsLayout.WRITE_BACKLOG), TlsNames.APPEND);
        try {
            Calls.run(ownedMethod, new Calls.Owned(ownedBytes));
        } finally {
            Refs.decref(ownedMethod);
        }
    }

    private void addToBacklogSize(long change) {
        Refs.setSlot(
                self, TlsLayout.WRITE_BUFFER_SIZE, PyErr.checked(Longs.PyLong_FromLongLong(backlogSize() + change)));
    }

    private long backlogSize() {
        long size = slot(TlsLayout.WRITE_BUFFER_SIZE);
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
        return isTrue(TlsLayout.SSL_WRITING_PAUSED) && slot(TlsLayout.STATE) == TlsLayout.WRAPPED;
    }

    /** Encrypts chunks until there is enough for one system call, and sends; false where OpenSSL must read first. */
    private boolean encryptBacklogOnce() {
        sendOwnOutput();
        RecordBuffers.Output output = buffers.collect(outgoing);
        boolean goOn = true;
        try {
            while (goOn && backlogSize() > 0 && output.size() < SLICE) {
                goOn = encryptFront();
            }
            output.finish();
            send(output.address(), output.size());
        } finally {
            output.close();
        }
        if (ownedFailure != 0) {
            throw PyErr.raiseOwned(takeFailure());
        }
        return goOn;
    }

    private boolean encryptFront() {
        long backlog = slot(TlsLayout.WRITE_BACKLOG);
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
                callAndDrop(backlog, TlsNames.POPLEFT);
            }
            return true;
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedChunk));
        }
    }

    private static void callAndDrop(long object, long name) {
        long ownedMethod = Py.newAttribute(object, name);
        try {
            Calls.run(ownedMethod);
        } finally {
            Refs.decref(ownedMethod);
        }
    }

    /** @return how many of the bytes are encrypted and sent: all or none */
    private int encryptAndSend(long address, int count) {
        if (count <= RECORD && outgoing.pending() > 0) {
            return encryptBehindOwnOutput(address, count);
        }
        sendOwnOutput();
        RecordBuffers.Output output = buffers.collect(outgoing);
        int written;
        try {
            written = encrypt(address, count);
            output.finish();
            send(output.address(), output.size());
        } finally {
            output.close();
        }
        if (ownedFailure != 0) {
            throw PyErr.raiseOwned(takeFailure());
        }
        return written;
    }

    /** One system call less: a server's first answer goes out with its session tickets. */
    private int encryptBehindOwnOutput(long address, int count) {
        int written = encrypt(address, count);
        sendOwnOutput();
        if (ownedFailure != 0) {
            throw PyErr.raiseOwned(takeFailure());
        }
        return written;
    }

    /** @return all or none; none with {@link #ownedFailure} where OpenSSL failed */
    private int encrypt(long address, int count) {
        OpenSsl.ERR_clear_error();
        int result = OpenSsl.SSL_write(ssl, address, count);
        if (result > 0) {
            return result;
        }
        if (!meansAgain(OpenSsl.SSL_get_error(ssl, result))) {
            ownedFailure = newOpenSslError();
        }
        return 0;
    }

    private long takeFailure() {
        long owned = ownedFailure;
        ownedFailure = 0;
        return owned;
    }

    /** Sends what OpenSSL wrote by itself, or while Python drove it: handshakes, alerts, key updates. */
    void processOutgoing() {
        sendOwnOutput();
        controlAppWriting();
    }

    private void sendOwnOutput() {
        sendOwnOutput(false);
    }

    /** @param closing whether the transport is closed next */
    private void sendOwnOutput(boolean closing) {
        int count = outgoing.pending();
        if (count == 0) {
            return;
        }
        long ownedRecords = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(0, count));
        outgoing.take(Py.bytesData(ownedRecords), count);
        try {
            long lower = slot(TlsLayout.TRANSPORT);
            if (Py.typeOf(lower) == TlsLayout.STREAM_TRANSPORT) {
                TransportLayout.of(lower).write(ownedRecords, closing);
            } else if (lower != Py.NONE) {
                writeTo(lower, ownedRecords);
            }
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedRecords));
        }
    }

    private void send(long address, long count) {
        long lower = slot(TlsLayout.TRANSPORT);
        if (count == 0 || lower == Py.NONE) {
            return;
        }
        if (Py.typeOf(lower) == TlsLayout.STREAM_TRANSPORT) {
            TransportLayout.of(lower).writeRecords(address, count);
            return;
        }
        long ownedRecords = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address, count));
        try {
            writeTo(lower, ownedRecords);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedRecords));
        }
    }

    /** TLS on a transport that is not ours, or in TLS. */
    private static void writeTo(long transport, long data) {
        long ownedMethod = Py.newAttribute(transport, TlsNames.WRITE);
        try {
            Calls.run(ownedMethod, data);
        } finally {
            Refs.decref(ownedMethod);
        }
    }

    // ---- flow control ----

    /** Calls {@code pause_writing} or {@code resume_writing} where asyncio's own method would: only then is it called. */
    private void controlAppWriting() {
        boolean paused = isTrue(TlsLayout.APP_WRITING_PAUSED);
        long size = outgoing.pending() + backlogSize();
        long mark = slot(paused ? TlsLayout.OUTGOING_LOW_WATER : TlsLayout.OUTGOING_HIGH_WATER);
        if (size == 0 && !paused && mark != TlsNames.ZERO) {
            return;
        }
        long limit = Longs.PyLong_AsLongLong(mark);
        if (paused ? size <= limit : size >= limit) {
            callSelf(TlsNames.CONTROL_APP_WRITING);
        }
    }
}
