package dev.jvloop.transport;

import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Version;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.Poller;
import dev.jvloop.linux.SystemCalls;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Gil;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;

/**
 * The Java half of a {@code jvloop.StreamTransport}: a connected, non-blocking stream socket.
 *
 * <p>The way of the data: {@link #onReady} receives into the loop's read buffer, makes a bytes object of the exact
 * size and calls {@code protocol.data_received}; {@link #write} sends at once from the memory of the bytes object and
 * queues only what the kernel does not take.
 */
public final class StreamTransport extends ByteTransport {
    private static final long MINUS_ONE = PyErr.checked(Longs.PyLong_FromLongLong(-1));
    private static final String WRITE_FAILURE = "Fatal write error on socket transport";

    private final ReadBuffer reader;
    private final boolean isTcp;
    private final SocketAddresses addressesOrNull;
    /** Whether Python has made a socket object of the descriptor, or has begun to. */
    private boolean mayHaveSocketObject;

    private boolean readEof;
    private boolean writeEof;
    /** Whether a file is being sent; the queue is empty then. */
    private boolean sendingFile;

    private Receiver receiver = Receiver.DATA;
    private final WriteJoiner joiner;
    private final LatePause latePause;

    /** @param addressesOrNull of an accepted connection; where Python has a socket object, that knows them */
    StreamTransport(EventLoop loop, long self, int fd, boolean isTcp, SocketAddresses addressesOrNull) {
        super(loop, self, fd, false, LOST_WRITES_OF_SOCKETS);
        this.isTcp = isTcp;
        this.addressesOrNull = addressesOrNull;
        this.mayHaveSocketObject = addressesOrNull == null;
        this.reader = new ReadBuffer(loop);
        this.joiner = new WriteJoiner(loop, this);
        this.latePause = new LatePause(loop, this);
    }

    /** For Python, which makes the socket object next, in any thread. */
    SocketAddresses addressesForSocketObject() {
        mayHaveSocketObject = true;
        return addressesOrNull;
    }

    @Override
    int wantedInterest() {
        return (isStarted() && isReading() && !readEof ? Poller.READ : 0)
                | (sendingFile || !queue.isEmpty() ? Poller.WRITE : 0);
    }

    @Override
    void pauseReading() {
        sendKept();
        notePaused();
        if (interest() == Poller.READ && loop.isInCallback()) {
            latePause.awaitPoll();
        } else {
            updateInterest();
        }
    }

    @Override
    void resumeReading() {
        sendKept();
        readEof = false;
        super.resumeReading();
        latePause.resumed();
    }

    /** Notes what kind of protocol {@code set_protocol} gave. */
    void setReceiver(Receiver value) {
        receiver = value;
    }

    // ---- reading ----

    /** A read from other sockets than TCP's may stop before the end: from Unix sockets where descriptors are passed. */
    @Override
    public boolean readsAll() {
        return isTcp;
    }

    /** Notes what a read of {@code asked} bytes has brought, before anything is made of it. */
    private void noteRead(long result, long asked) {
        if (loop.calls().mayHaveLeft(result, asked)) {
            loop.poller().readAgain(fd());
        }
    }

    @Override
    void readReady() {
        if (isLost() || (interest() & Poller.READ) == 0) {
            return;
        }
        if (!isReading()) {
            latePause.missEvent();
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
        long result = loop.calls().recvStream(fd(), address, IoScratch.READ_SIZE);
        noteRead(result, IoScratch.READ_SIZE);
        if (result <= 0) {
            afterRead(result);
            return;
        }
        long ownedProtocol = Refs.incref(protocol());
        try {
            TlsLayout.layerOf(ownedProtocol).received(address, (int) result);
        } catch (PythonError e) {
            callFailed("Fatal error: protocol.buffer_updated() call failed.");
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedProtocol));
        }
        sendKept();
    }

    private void readData() {
        long result = reader.receive(fd(), IoScratch.READ_SIZE);
        noteRead(result, IoScratch.READ_SIZE);
        if (result > 0) {
            long ownedData = reader.takeOwnedBytes();
            long ownedResult = loop.scratch().callMethod(protocol(), Names.DATA_RECEIVED, ownedData);
            reader.giveBack(ownedData);
            finishCall(ownedResult, "Fatal error: protocol.data_received() call failed.");
        } else {
            afterRead(result);
        }
    }

    private void readIntoProtocolBuffer() {
        long protocol = protocol();
        long ownedBuffer = loop.scratch().callMethod(protocol, Names.GET_BUFFER, MINUS_ONE);
        if (ownedBuffer == 0) {
            fatal("Fatal error: protocol.get_buffer() call failed.");
            return;
        }
        long result;
        try {
            result = reader.receiveInto(fd(), ownedBuffer);
        } catch (PythonError e) {
            Refs.decref(ownedBuffer);
            fatal(
                    reader.failedBeforeReading()
                            ? "Fatal error: protocol.get_buffer() call failed."
                            : "Fatal read error on socket transport");
            return;
        }
        Refs.decref(ownedBuffer);
        noteRead(result, reader.bufferLength());
        if (result > 0) {
            long ownedCount = PyErr.checked(Longs.PyLong_FromLongLong(result));
            long ownedResult = loop.scratch().callMethod(protocol(), Names.BUFFER_UPDATED, ownedCount);
            Refs.decref(ownedCount);
            finishCall(ownedResult, "Fatal error: protocol.buffer_updated() call failed.");
        } else {
            afterRead(result);
        }
    }

    /** What a read of no bytes means: the end of the stream, nothing there after all, or an error. */
    private void afterRead(long result) {
        if (result == 0) {
            onEof();
        } else if (result != -Errno.EAGAIN && result != -Errno.EINTR) {
            readFailed((int) -result);
        }
    }

    /** Clients that reset their connections are usual: such an error takes no way through Python outside debug mode. */
    private void readFailed(int errno) {
        if (loop.isDebug()) {
            fatal(errno, "Fatal read error on socket transport");
            return;
        }
        long ownedException = PyErr.newOsError(errno);
        try {
            forceClose(ownedException);
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedException));
        }
    }

    private void onEof() {
        if (loop.isDebug()) {
            Calls.run(TransportHelpers.LOG_EOF, self);
        }
        long ownedMethod = Py.newAttribute(protocol(), Names.EOF_RECEIVED);
        long ownedResult = Abstract.PyObject_CallNoArgs(ownedMethod);
        Refs.decref(ownedMethod);
        if (ownedResult == 0) {
            callFailed("Fatal error: protocol.eof_received() call failed.");
            return;
        }
        sendKept();
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

    /** Sends what a call of the protocol wrote and left behind, and closes where the call has failed. */
    private void finishCall(long ownedResultOrNull, String failure) {
        if (ownedResultOrNull == 0) {
            callFailed(failure);
        } else {
            sendKept();
            Refs.decref(ownedResultOrNull);
        }
    }

    private void callFailed(String failure) {
        // Sending may call pause_writing.
        PyErr.preserving(this::sendKept);
        fatal(failure);
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
        long size = Py.isBytes(data) && !closing ? Py.size(data) : 0;
        if (size != 0 && keeps(size, 1)) {
            queue.add(Refs.incref(data), 0);
        } else {
            sendKept();
            writeObject(data, closing ? SystemCalls.MSG_MORE : 0);
            joiner.noteSent(size, queue.isEmpty());
        }
    }

    /** Whether a write of so many pieces is to be kept, if need be in place of what was. */
    private boolean keeps(long size, int pieces) {
        if (joiner.keeps(size, pieces)) {
            return true;
        }
        if (!joiner.isKeeping()) {
            return false;
        }
        sendKept();
        return joiner.keeps(size, pieces);
    }

    @Override
    void sendKept() {
        if (joiner.isKeeping()) {
            long size = queue.size();
            joiner.release();
            writeReady();
            keptSent(size);
        }
    }

    @Override
    void sendKeptUnlessGathering() {
        if (!joiner.isGathering()) {
            sendKept();
        }
    }

    /** {@link #sendKept} where no callback runs. */
    void endReached() {
        if (joiner.isKeeping()) {
            long size = queue.size();
            joiner.release();
            serve(Poller.WRITE);
            keptSent(size);
        }
    }

    /** What was kept, {@code size} bytes, is sent but for what the queue has now. */
    private void keptSent(long size) {
        joiner.noteSent(size, queue.isEmpty());
        if (!isLost()) {
            updateInterest();
            flowControl.afterQueuing(queue.size());
        }
    }

    /** Sends TLS records, which the caller keeps in memory until this method returns; large ones are not copied. */
    void writeRecords(long address, long length) {
        if (length <= WriteJoiner.LITTLE && keeps(length, 1)) {
            queue.add(PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address, length)), 0);
        } else {
            sendKept();
            writeMemory(0, address, length, 0);
        }
    }

    void checkWritable(String afterEof, String duringSendfile) {
        if (writeEof) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, afterEof);
        }
        if (hasEmptyWaiter()) {
            throw PyErr.raise(PyErr.RUNTIME_ERROR, duringSendfile);
        }
    }

    /** Queues every item of a tuple of bytes-like objects, then sends as much as the kernel takes, in one call. */
    void writeLines(long tuple) {
        checkWritable("Cannot call writelines() after write_eof()", "unable to writelines; sendfile is in progress");
        if (Py.size(tuple) == 0) {
            return;
        }
        long size = keepableSize(tuple);
        if (size != 0 && keeps(size, (int) Py.size(tuple))) {
            queueItems(tuple);
            return;
        }
        sendKept();
        boolean wasEmpty = queue.isEmpty();
        queueItems(tuple);
        if (isLost()) {
            noteLostWrite();
            return;
        }
        if (queue.isEmpty()) {
            return;
        }
        if (wasEmpty) {
            writeReady();
        }
        if (!isLost()) {
            updateInterest();
            flowControl.afterQueuing(queue.size());
        }
    }

    /** How many bytes the items of a tuple have, or 0 if they are more than a little, or one is no bytes object. */
    private static long keepableSize(long tuple) {
        long size = 0;
        for (long i = 0; i < Py.size(tuple) && size <= WriteJoiner.LITTLE; i++) {
            long item = Py.tupleItem(tuple, i);
            if (!Py.isBytes(item)) {
                return 0;
            }
            size += Py.size(item);
        }
        return size <= WriteJoiner.LITTLE ? size : 0;
    }

    private void queueItems(long tuple) {
        for (long i = 0; i < Py.size(tuple); i++) {
            long ownedBytes = Buffer.newBytes(Py.tupleItem(tuple, i));
            if (isLost() || Py.size(ownedBytes) == 0) {
                Refs.decref(ownedBytes);
            } else {
                queue.add(ownedBytes, 0);
            }
        }
    }

    @Override
    long send(long address, long length, long flags) {
        return loop.calls().sendStream(fd(), address, length, flags);
    }

    @Override
    long sendQueued() {
        return loop.calls().sendmsg(fd(), loop.scratch().message(queue.fill(loop.scratch())));
    }

    @Override
    boolean losesWrites() {
        return isLost();
    }

    @Override
    void writeFailed(long ownedException) {
        queue.clear();
        updateInterest();
        if (hasEmptyWaiter()) {
            Calls.run(TransportHelpers.FAIL_EMPTY_WAITER, self, ownedException);
        }
        fatal(ownedException, WRITE_FAILURE);
    }

    /** Whether a file is being sent: the empty waiter is resolved whenever the socket can take more of it. */
    void setSendingFile(boolean sending) {
        sendingFile = sending;
        updateInterest();
    }

    @Override
    void writableWhileDrained() {
        if (sendingFile) {
            Calls.run(TransportHelpers.RESOLVE_EMPTY_WAITER, self);
        }
    }

    @Override
    void drained() {
        if (hasEmptyWaiter()) {
            Calls.run(TransportHelpers.RESOLVE_EMPTY_WAITER, self);
        }
        if (isClosing()) {
            finishClosing();
        } else if (writeEof) {
            shutdownWrite();
        }
    }

    /** Whether sendfile waits for the queue to be sent. */
    private boolean hasEmptyWaiter() {
        long waiter = slot(TransportLayout.EMPTY_WAITER);
        return waiter != 0 && waiter != Py.NONE;
    }

    /**
     * Most connections of a server end without anybody having asked for their socket object. They are closed here: from
     * accept to end such a connection takes 3 % less CPU time than by way of the Python half, which has a lock against
     * threads that are making that object.
     */
    @Override
    void abandon() {
        if (Version.FREE_THREADED || mayHaveSocketObject || hasEmptyWaiter()) {
            super.abandon();
            return;
        }
        closeDescriptor();
        if (slot(TransportLayout.SERVER) != Py.NONE) {
            Calls.run(TransportHelpers.DETACH_FROM_SERVER, self);
        }
    }

    /**
     * Without the GIL, as {@code os.close} does: with SO_LINGER, which the listening socket may have handed down, it
     * waits.
     */
    private void closeDescriptor() {
        int fd = detach();
        if (fd < 0) {
            return;
        }
        int result;
        long threadState = Gil.release();
        try {
            result = loop.calls().close(fd);
        } finally {
            Gil.acquire(threadState);
        }
        if (result < 0) {
            throw PyErr.raiseOsError(-result);
        }
    }

    void writeEof() {
        if (isClosing() || writeEof) {
            return;
        }
        writeEof = true;
        if (queue.isEmpty()) {
            shutdownWrite();
        }
    }

    private void shutdownWrite() {
        loop.poller().noteFollowed();
        int result = loop.calls().shutdownWrite(fd());
        if (result < 0) {
            throw PyErr.raiseOsError(-result);
        }
    }
}
