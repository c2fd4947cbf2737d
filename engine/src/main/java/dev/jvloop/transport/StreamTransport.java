package dev.jvloop.transport;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.Contexts;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Memory;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.Poller;
import dev.jvloop.linux.SystemCalls;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.loop.ReferenceHolder;
import dev.jvloop.py.Calls;
import dev.jvloop.py.ContextSwitch;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/**
 * The Java half of a {@code jvloop.StreamTransport}: a connected, non-blocking stream socket.
 *
 * <p>The way of the data: {@link #onReady} receives into the loop's read buffer, makes a bytes object of the exact
 * size and calls {@code protocol.data_received}; {@link #write} sends at once from the memory of the bytes object and
 * queues only what the kernel does not take. The Python half holds every reference to a Python object in its slots,
 * where the cyclic garbage collector sees them; this half holds numbers and flags. While the descriptor is
 * registered, this half keeps the Python half alive.
 */
public final class StreamTransport implements OwnerOfFd, ReferenceHolder {
    private final EventLoop loop;
    /** Borrowed but while {@link #interest} is not 0. */
    private final long self;

    private final ReadBuffer reader;
    private final FlowControl flowControl;
    private final WriteQueue queue = new WriteQueue();
    private final SocketAddresses addresses;
    private int fd;
    /** What the poller watches for. */
    private int interest;

    private boolean started;
    private boolean paused;
    private boolean readEof;
    private boolean closing;
    private boolean writeEof;
    /** Whether a file is being sent; the queue is empty then. */
    private boolean sendingFile;

    private Receiver receiver = Receiver.DATA;
    private int connectionLostCount;

    StreamTransport(EventLoop loop, long self, int fd, SocketAddresses addresses) {
        this.loop = loop;
        this.self = self;
        this.fd = fd;
        this.addresses = addresses;
        this.reader = new ReadBuffer(loop);
        this.flowControl = new FlowControl(loop, self, TransportLayout.PROTOCOL);
    }

    @Override
    public long newSelf() {
        return Refs.incref(self);
    }

    EventLoop loop() {
        return loop;
    }

    int fd() {
        return fd;
    }

    SocketAddresses addresses() {
        return addresses;
    }

    boolean isClosing() {
        return closing;
    }

    boolean isReading() {
        return !closing && !paused;
    }

    long bufferedByteCount() {
        return queue.size();
    }

    int interest() {
        return interest;
    }

    private long slot(long offset) {
        return Memory.getLong(self + offset);
    }

    // ---- registration ----

    /** Brings the poller up to what this transport is ready to handle. */
    private void updateInterest() {
        int wanted = (started && !paused && !closing && !readEof ? Poller.READ : 0)
                | ((sendingFile || !queue.isEmpty()) && connectionLostCount == 0 ? Poller.WRITE : 0);
        if (wanted == interest) {
            return;
        }
        if (wanted == 0) {
            interest = 0;
            loop.poller().unwatch(fd);
            Refs.decref(self);
            return;
        }
        int result = loop.poller().watch(fd, wanted, this);
        if (result < 0) {
            throw PyErr.raiseOsError(-result);
        }
        if (interest == 0) {
            Refs.incref(self);
        }
        interest = wanted;
    }

    /** Begins to read: after {@code connection_made} was called. */
    void start() {
        started = true;
        updateInterest();
    }

    void pauseReading() {
        paused = true;
        updateInterest();
    }

    void resumeReading() {
        paused = false;
        Refs.setSlot(self, TransportLayout.CONTEXT, PyErr.checked(Contexts.PyContext_CopyCurrent()));
        readEof = false;
        updateInterest();
    }

    /** Notes what kind of protocol {@code set_protocol} gave. */
    void setReceiver(Receiver value) {
        receiver = value;
    }

    // ---- reading ----

    @Override
    public void onReady(int events) {
        if (loop.isDebug()) {
            serveInDebug(events);
        } else {
            serve(events);
        }
    }

    /** {@link #serve}, and a line in the log if it took long: asyncio's debug mode logs slow callbacks. */
    private void serveInDebug(int events) {
        Refs.incref(self);
        double started = loop.time();
        try {
            serve(events);
            Calls.run(
                    TransportHelpers.LOG_IF_SLOW,
                    loop.self(),
                    self,
                    new Calls.Owned(Py.newFloat(loop.time() - started)));
        } finally {
            PyErr.preserving(() -> Refs.decref(self));
        }
    }

    private void serve(int events) {
        Refs.incref(self);
        long ownedContext = Refs.incref(slot(TransportLayout.CONTEXT));
        if (!ContextSwitch.enter(ownedContext)) {
            Refs.decref(ownedContext);
            Refs.decref(self);
            throw PythonError.SET;
        }
        long ownedException = 0;
        try {
            if ((events & Poller.READ) != 0) {
                readReady();
            }
            if ((events & Poller.WRITE) != 0) {
                writeReady();
            }
        } catch (PythonError e) {
            ownedException = PyErr.newTaken();
        }
        ContextSwitch.leave(ownedContext);
        Refs.decref(ownedContext);
        Refs.decref(self);
        if (ownedException != 0) {
            throw PyErr.raiseOwned(ownedException);
        }
    }

    private void readReady() {
        if (connectionLostCount != 0 || (interest & Poller.READ) == 0) {
            return;
        }
        switch (receiver) {
            case DATA -> readData();
            case BUFFER -> readIntoProtocolBuffer();
            case TLS -> readRecords();
        }
    }

    /** Hands records to the TLS layer where they were received. */
    private void readRecords() {
        long address = loop.scratch().readBuffer;
        long result = loop.calls().recv(fd, address, IoScratch.READ_SIZE);
        if (result <= 0) {
            afterRead(result);
            return;
        }
        long ownedProtocol = Refs.incref(slot(TransportLayout.PROTOCOL));
        try {
            TlsLayout.layerOf(ownedProtocol).received(address, (int) result);
        } catch (PythonError e) {
            fatal("Fatal error: protocol.buffer_updated() call failed.");
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedProtocol));
        }
    }

    private void readData() {
        long result = reader.receive(fd);
        if (result > 0) {
            long ownedData = reader.takeOwnedBytes();
            long ownedResult =
                    loop.scratch().callMethod(slot(TransportLayout.PROTOCOL), Names.DATA_RECEIVED, ownedData);
            Refs.decref(ownedData);
            finishCall(ownedResult, "Fatal error: protocol.data_received() call failed.");
        } else {
            afterRead(result);
        }
    }

    private void readIntoProtocolBuffer() {
        long protocol = slot(TransportLayout.PROTOCOL);
        long ownedBuffer = loop.scratch().callMethod(protocol, Names.GET_BUFFER, MINUS_ONE);
        if (ownedBuffer == 0) {
            fatal("Fatal error: protocol.get_buffer() call failed.");
            return;
        }
        long result;
        try {
            result = reader.receiveInto(fd, ownedBuffer);
        } catch (PythonError e) {
            Refs.decref(ownedBuffer);
            fatal(
                    reader.failedBeforeReading()
                            ? "Fatal error: protocol.get_buffer() call failed."
                            : "Fatal read error on socket transport");
            return;
        }
        Refs.decref(ownedBuffer);
        if (result > 0) {
            long ownedCount = PyErr.checked(Longs.PyLong_FromLongLong(result));
            long ownedResult =
                    loop.scratch().callMethod(slot(TransportLayout.PROTOCOL), Names.BUFFER_UPDATED, ownedCount);
            Refs.decref(ownedCount);
            finishCall(ownedResult, "Fatal error: protocol.buffer_updated() call failed.");
        } else {
            afterRead(result);
        }
    }

    private static final long MINUS_ONE = PyErr.checked(Longs.PyLong_FromLongLong(-1));

    /** What a read of no bytes means: the end of the stream, nothing there after all, or an error. */
    private void afterRead(long result) {
        if (result == 0) {
            onEof();
        } else if (result != -Errno.EAGAIN && result != -Errno.EINTR) {
            fatal((int) -result, "Fatal read error on socket transport");
        }
    }

    private void onEof() {
        if (loop.isDebug()) {
            Calls.run(TransportHelpers.LOG_EOF, self);
        }
        long ownedMethod = Py.newAttribute(slot(TransportLayout.PROTOCOL), Names.EOF_RECEIVED);
        long ownedResult = Abstract.PyObject_CallNoArgs(ownedMethod);
        Refs.decref(ownedMethod);
        if (ownedResult == 0) {
            fatal("Fatal error: protocol.eof_received() call failed.");
            return;
        }
        boolean keepOpen = Py.isTrue(ownedResult);
        Refs.decref(ownedResult);
        if (keepOpen) {
            // The protocol may go on writing, but there is nothing more to read.
            readEof = true;
            updateInterest();
        } else {
            close();
        }
    }

    private void finishCall(long ownedResultOrNull, String failure) {
        if (ownedResultOrNull == 0) {
            fatal(failure);
        } else {
            Refs.decref(ownedResultOrNull);
        }
    }

    // ---- errors ----

    /** Ends the connection with the raised error; SystemExit and KeyboardInterrupt go on to the loop. */
    private void fatal(String message) {
        long ownedException = PyErr.newTaken();
        if (PyErr.endsLoop(ownedException)) {
            throw PyErr.raiseOwned(ownedException);
        }
        report(ownedException, message);
    }

    private void fatal(int errno, String message) {
        report(PyErr.newOsError(errno), message);
    }

    private void report(long ownedException, String message) {
        Calls.run(TransportHelpers.FATAL_ERROR, self, new Calls.Owned(ownedException), Calls.string(message));
    }

    // ---- writing ----

    /**
     * Sends a bytes-like object.
     *
     * @throws PythonError TypeError, or RuntimeError after {@code write_eof}
     */
    void write(long data) {
        write(data, false);
    }

    /**
     * Sends a bytes-like object.
     *
     * @param closing whether the transport is closed next: the data and the end of the stream are then one segment,
     *     which is a packet less for both sides (a TLS connection costs 3 % less CPU time)
     */
    void write(long data, boolean closing) {
        if (!Py.isBytesLike(data)) {
            throw PyErr.raise(
                    PyErr.TYPE_ERROR, "data argument must be a bytes-like object, not '" + Py.typeName(data) + "'");
        }
        checkWritable("Cannot call write() after write_eof()", "unable to write; sendfile is in progress");
        if (Py.isBytes(data)) {
            writeMemory(data, Py.bytesData(data), Py.size(data), closing ? SystemCalls.MSG_MORE : 0);
        } else {
            writeBuffer(data);
        }
    }

    /** Sends TLS records, which the caller keeps in memory until this method returns. */
    void writeRecords(long address, long length) {
        writeMemory(0, address, length, 0);
    }

    void checkWritable(String afterEof, String duringSendfile) {
        if (writeEof) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, afterEof);
        }
        long waiter = slot(TransportLayout.EMPTY_WAITER);
        if (waiter != 0 && waiter != Py.NONE) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, duringSendfile);
        }
    }

    private void writeBuffer(long data) {
        try (Buffer buffer = Buffer.of(data)) {
            writeMemory(0, buffer.address(), buffer.length(), 0);
        } catch (PythonError e) {
            fatal("Fatal write error on socket transport");
        }
    }

    /** @param bytesOrNull the bytes object that the memory belongs to, or 0 where what is left must be copied */
    private void writeMemory(long bytesOrNull, long address, long length, long flags) {
        if (length == 0) {
            return;
        }
        if (connectionLostCount != 0) {
            noteLostWrite();
            return;
        }
        long sent = 0;
        if (queue.isEmpty()) {
            sent = loop.calls().send(fd, address, length, flags);
            if (sent == length) {
                return;
            }
            if (sent < 0) {
                if (sent != -Errno.EAGAIN && sent != -Errno.EINTR) {
                    fatal((int) -sent, "Fatal write error on socket transport");
                    return;
                }
                sent = 0;
            }
        }
        if (bytesOrNull != 0) {
            queue.add(Refs.incref(bytesOrNull), sent);
        } else {
            queue.add(PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address + sent, length - sent)), 0);
        }
        updateInterest();
        flowControl.afterQueuing(queue.size());
    }

    private void noteLostWrite() {
        if (connectionLostCount >= TransportHelpers.LOST_WRITES_BEFORE_WARNING) {
            Calls.run(TransportHelpers.WARN_LOST_WRITE);
        }
        connectionLostCount++;
    }

    /** Queues every item of a tuple of bytes-like objects, then sends as much as the kernel takes, in one call. */
    void writeLines(long tuple) {
        checkWritable("Cannot call writelines() after write_eof()", "unable to writelines; sendfile is in progress");
        long count = Py.size(tuple);
        if (count == 0) {
            return;
        }
        boolean wasEmpty = queue.isEmpty();
        for (long i = 0; i < count; i++) {
            long ownedBytes = Buffer.newBytes(Py.tupleItem(tuple, i));
            if (connectionLostCount != 0 || Py.size(ownedBytes) == 0) {
                Refs.decref(ownedBytes);
            } else {
                queue.add(ownedBytes, 0);
            }
        }
        if (connectionLostCount != 0) {
            noteLostWrite();
            return;
        }
        if (queue.isEmpty()) {
            return;
        }
        if (wasEmpty) {
            writeReady();
        }
        if (connectionLostCount == 0 && fd >= 0) {
            updateInterest();
            flowControl.afterQueuing(queue.size());
        }
    }

    /** Sends from the queue: when the kernel takes data again. */
    private void writeReady() {
        if (connectionLostCount != 0) {
            return;
        }
        if (queue.isEmpty()) {
            if (sendingFile) {
                Calls.run(TransportHelpers.RESOLVE_EMPTY_WAITER, self);
            }
            return;
        }
        long sent = sendQueued();
        if (sent == -Errno.EAGAIN || sent == -Errno.EINTR) {
            return;
        }
        if (sent < 0) {
            failWrite((int) -sent);
            return;
        }
        queue.advance(sent);
        flowControl.afterSending(queue.size());
        if (queue.isEmpty() && fd >= 0 && connectionLostCount == 0) {
            afterDrain();
        }
    }

    private long sendQueued() {
        return loop.calls().sendmsg(fd, loop.scratch().message(queue.fill(loop.scratch())));
    }

    private void failWrite(int errno) {
        queue.clear();
        updateInterest();
        long ownedException = PyErr.newOsError(errno);
        long waiter = slot(TransportLayout.EMPTY_WAITER);
        if (waiter != 0 && waiter != Py.NONE) {
            Calls.run(TransportHelpers.FAIL_EMPTY_WAITER, self, ownedException);
        }
        report(ownedException, "Fatal write error on socket transport");
    }

    private void afterDrain() {
        queue.clear();
        updateInterest();
        long waiter = slot(TransportLayout.EMPTY_WAITER);
        if (waiter != 0 && waiter != Py.NONE) {
            Calls.run(TransportHelpers.RESOLVE_EMPTY_WAITER, self);
        }
        if (closing) {
            connectionLostCount++;
            Calls.run(TransportHelpers.CALL_CONNECTION_LOST, self, Py.NONE);
        } else if (writeEof) {
            shutdownWrite();
        }
    }

    void writeEof() {
        if (closing || writeEof) {
            return;
        }
        writeEof = true;
        if (queue.isEmpty()) {
            shutdownWrite();
        }
    }

    private void shutdownWrite() {
        int result = loop.calls().shutdownWrite(fd);
        if (result < 0) {
            throw PyErr.raiseOsError(-result);
        }
    }

    // ---- flow control ----

    FlowControl flowControl() {
        return flowControl;
    }

    void setWaterMarks(long low, long high) {
        flowControl.setWaterMarks(low, high);
        flowControl.afterQueuing(queue.size());
    }

    // ---- the end ----

    /** Closes once what is queued is sent. */
    void close() {
        if (closing) {
            return;
        }
        closing = true;
        Refs.incref(self);
        if (queue.isEmpty()) {
            connectionLostCount++;
            scheduleConnectionLost(Py.NONE);
        }
        updateInterest();
        Refs.decref(self);
    }

    /** Closes now; what is queued is lost. */
    void forceClose(long exception) {
        if (connectionLostCount != 0) {
            return;
        }
        Refs.incref(self);
        queue.clear();
        closing = true;
        connectionLostCount++;
        scheduleConnectionLost(exception);
        updateInterest();
        Refs.decref(self);
    }

    private void scheduleConnectionLost(long exception) {
        Calls.run(TransportHelpers.SCHEDULE_CONNECTION_LOST, self, exception);
    }

    /**
     * Gives the descriptor up: nothing is registered for it any more.
     *
     * @return the descriptor, which the caller closes, or -1 if it was given up before
     */
    int detach() {
        int detached = fd;
        if (fd >= 0) {
            loop.setOwner(fd, null);
        }
        closing = true;
        if (connectionLostCount == 0) {
            connectionLostCount = 1;
        }
        queue.clear();
        if (interest != 0) {
            interest = 0;
            loop.poller().unwatch(fd);
            fd = -1;
            Refs.decref(self);
        }
        fd = -1;
        return detached;
    }

    /** Whether a file is being sent: the empty waiter is resolved whenever the socket can take more of it. */
    void setSendingFile(boolean sending) {
        sendingFile = sending;
        if (fd >= 0) {
            updateInterest();
        }
    }

    @Override
    public void visitReferences(LongConsumer visit) {
        if (interest != 0) {
            visit.accept(self);
        }
    }

    @Override
    public void releaseReferences() {
        if (interest != 0) {
            interest = 0;
            Refs.decref(self);
        }
    }
}
