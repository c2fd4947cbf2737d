package dev.jvloop.transport;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.Contexts;
import dev.jvloop.capi.Memory;
import dev.jvloop.capi.Objects;
import dev.jvloop.capi.Version;
import dev.jvloop.linux.DatagramCalls;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.Poller;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.loop.ReferenceHolder;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/**
 * The Java half of a {@code jvloop.DatagramTransport}: a non-blocking UDP or Unix datagram socket.
 *
 * <p>Unlike a connection it outlives errors: what the kernel reports (a peer's port that is closed, say) goes to
 * {@code protocol.error_received}, and an exception of the protocol's to the loop's exception handler. References are
 * held as in {@link StreamTransport}.
 */
public final class DatagramTransport implements OwnerOfFd, ReferenceHolder, EventDelivery.Receiver {
    /**
     * How many datagrams one event may bring, as long as none of them queues a callback. asyncio takes one for each
     * event; more of them save polls, and the bound keeps a flooded socket from starving the others: it is some 50 us
     * of a small protocol's time.
     */
    private static final int MAX_DATAGRAMS_PER_EVENT = 16;

    /** From 3.13 on asyncio sends datagrams without data, and counts a header for each datagram that waits. */
    private static final boolean SENDS_EMPTY_DATAGRAMS = Version.atLeast(3, 13);

    private static final int HEADER_SIZE = SENDS_EMPTY_DATAGRAMS ? 8 : 0;

    private static final String WRITE_FAILURE = "Fatal write error on datagram transport";

    private final EventLoop loop;
    /** Borrowed but while {@link #interest} is not 0. */
    private final long self;

    private final DatagramCalls calls;
    private final boolean connected;
    private final boolean hasRemoteAddress;
    private final PeerAddresses peers;
    private final FlowControl flowControl;
    private final DatagramQueue queue = new DatagramQueue(HEADER_SIZE);
    private int fd;
    /** What the poller watches for. */
    private int interest;

    /** Whether {@code _read_ready} is in the loop's ready queue. */
    private boolean readQueued;

    private boolean started;
    private boolean paused;
    private boolean closing;
    private int connectionLostCount;

    /**
     * @param connected whether the socket has a peer, so that datagrams are sent without an address
     * @param hasRemoteAddress whether the {@code _address} slot holds the one address that datagrams go to
     */
    DatagramTransport(EventLoop loop, long self, int fd, int family, boolean connected, boolean hasRemoteAddress) {
        this.loop = loop;
        this.self = self;
        this.fd = fd;
        this.connected = connected;
        this.hasRemoteAddress = hasRemoteAddress;
        this.calls = new DatagramCalls(loop.calls());
        this.peers = new PeerAddresses(family, connected);
        this.flowControl = new FlowControl(loop, self, DatagramLayout.PROTOCOL);
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

    boolean isClosing() {
        return closing;
    }

    boolean isReading() {
        return !closing && !paused;
    }

    long bufferedByteCount() {
        return queue.size();
    }

    private long slot(long offset) {
        return Memory.getLong(self + offset);
    }

    // ---- registration ----

    /** Brings the poller up to what this transport is ready to handle. */
    private void updateInterest() {
        int wanted = (started && !paused && !closing ? Poller.READ : 0)
                | (!queue.isEmpty() && connectionLostCount == 0 ? Poller.WRITE : 0);
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
        Refs.setSlot(self, DatagramLayout.CONTEXT, PyErr.checked(Contexts.PyContext_CopyCurrent()));
        updateInterest();
    }

    @Override
    public void onReady(int events) {
        int now = events;
        if ((events & Poller.READ) != 0 && loop.hasReadyCallbacks()) {
            queueRead();
            now &= ~Poller.READ;
        }
        if (now != 0) {
            EventDelivery.deliver(loop, self, slot(DatagramLayout.CONTEXT), this, now);
        }
    }

    /**
     * Has datagrams read behind the callbacks that wait, as on asyncio. A protocol may count on it: one that hands each
     * datagram to a future gets the next one when whoever awaits it has had the turn to make a new future.
     */
    private void queueRead() {
        if (readQueued) {
            return;
        }
        readQueued = true;
        long ownedMethod = Py.newAttribute(self, Names.READ_READY);
        loop.callSoon(ownedMethod, 0, 0, slot(DatagramLayout.CONTEXT));
        Refs.decref(ownedMethod);
    }

    /** {@code _read_ready}, run by the loop in this transport's context. */
    void readBehindCallbacks() {
        readQueued = false;
        readReady();
    }

    @Override
    public void serve(int events) {
        if ((events & Poller.READ) != 0) {
            readReady();
        }
        if ((events & Poller.WRITE) != 0) {
            writeReady();
        }
    }

    // ---- reading ----

    private void readReady() {
        for (int i = 0; i < MAX_DATAGRAMS_PER_EVENT; i++) {
            if ((interest & Poller.READ) == 0 || !receiveOne() || loop.hasReadyCallbacks() || loop.isStopping()) {
                return;
            }
        }
    }

    /** @return whether there may be another datagram */
    private boolean receiveOne() {
        IoScratch scratch = loop.scratch();
        Memory.putInt(scratch.addressLength, IoScratch.SOCKADDR_SIZE);
        long length =
                calls.recvfrom(fd, scratch.readBuffer, IoScratch.READ_SIZE, scratch.address, scratch.addressLength);
        if (length >= 0) {
            deliver(length);
            return true;
        }
        if (length == -Errno.EAGAIN || length == -Errno.EINTR) {
            return false;
        }
        reportToProtocol(PyErr.newOsError((int) -length));
        return true;
    }

    private void deliver(long length) {
        long ownedData;
        long ownedAddress;
        try {
            ownedData = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(loop.scratch().readBuffer, length));
            ownedAddress = peers.newReceived(loop.scratch());
        } catch (PythonError e) {
            fatal(PyErr.newTaken(), "Fatal read error on datagram transport");
            return;
        }
        long ownedResult = loop.scratch()
                .callMethod(slot(DatagramLayout.PROTOCOL), Names.DATAGRAM_RECEIVED, ownedData, ownedAddress);
        Refs.decref(ownedData);
        Refs.decref(ownedAddress);
        if (ownedResult == 0) {
            protocolFailed("datagram_received");
        } else {
            Refs.decref(ownedResult);
        }
    }

    // ---- errors ----

    /** Calls {@code error_received}; what that raises goes on to the caller. */
    private void callErrorReceived(long ownedException) {
        long ownedMethod;
        try {
            ownedMethod = Py.newAttribute(slot(DatagramLayout.PROTOCOL), Names.ERROR_RECEIVED);
        } catch (PythonError e) {
            PyErr.preserving(() -> Refs.decref(ownedException));
            throw e;
        }
        try {
            Calls.run(ownedMethod, new Calls.Owned(ownedException));
        } finally {
            PyErr.preserving(() -> Refs.decref(ownedMethod));
        }
    }

    /** {@link #callErrorReceived} out of the loop: there nobody else would take what it raises. */
    private void reportToProtocol(long ownedException) {
        try {
            callErrorReceived(ownedException);
        } catch (PythonError e) {
            protocolFailed("error_received");
        }
    }

    /** Hands the raised exception to the loop's exception handler; SystemExit and KeyboardInterrupt go on. */
    private void protocolFailed(String method) {
        long ownedException = PyErr.newTaken();
        if (PyErr.endsLoop(ownedException)) {
            throw PyErr.raiseOwned(ownedException);
        }
        Calls.run(DatagramHelpers.CALLBACK_FAILED, self, new Calls.Owned(ownedException), Calls.string(method));
    }

    /** Ends the transport. */
    private void fatal(long ownedException, String message) {
        if (PyErr.endsLoop(ownedException)) {
            throw PyErr.raiseOwned(ownedException);
        }
        Calls.run(DatagramHelpers.FATAL_ERROR, self, new Calls.Owned(ownedException), Calls.string(message));
    }

    private static boolean isOsError(long exception) {
        return (int) Objects.PyType_IsSubtype(Py.typeOf(exception), PyErr.OS_ERROR) != 0;
    }

    // ---- writing ----

    /**
     * Sends a bytes-like object as one datagram.
     *
     * @param destination an address, or None for a transport with a peer
     * @throws PythonError TypeError or ValueError for the arguments, or what {@code error_received} raised
     */
    void sendTo(long data, long destination) {
        if (!Py.isBytesLike(data)) {
            throw PyErr.raise(
                    PyErr.TYPE_ERROR, "data argument must be a bytes-like object, not '" + Py.typeName(data) + "'");
        }
        if (!SENDS_EMPTY_DATAGRAMS && isEmpty(data)) {
            return;
        }
        long target = destination;
        if (hasRemoteAddress) {
            target = slot(DatagramLayout.ADDRESS);
            if (destination != Py.NONE && destination != target) {
                Calls.run(DatagramHelpers.CHECK_ADDRESS, self, destination);
            }
        }
        if (connectionLostCount != 0 && (hasRemoteAddress || fd < 0)) {
            noteLostDatagram();
        } else if (Py.isBytes(data)) {
            send(data, Py.bytesData(data), Py.size(data), target);
        } else {
            sendBuffer(data, target);
        }
    }

    private static boolean isEmpty(long data) {
        return Py.isBytes(data) ? Py.size(data) == 0 : !Py.isTrue(data);
    }

    private void noteLostDatagram() {
        if (connectionLostCount >= TransportHelpers.LOST_WRITES_BEFORE_WARNING) {
            Calls.run(TransportHelpers.WARN_LOST_WRITE);
        }
        connectionLostCount++;
    }

    private void sendBuffer(long data, long destination) {
        Buffer buffer;
        try {
            buffer = Buffer.of(data);
        } catch (PythonError e) {
            fatal(PyErr.newTaken(), WRITE_FAILURE);
            return;
        }
        try (buffer) {
            send(data, buffer.address(), buffer.length(), destination);
        }
    }

    private void send(long data, long address, long length, long destination) {
        if (queue.isEmpty()) {
            long result;
            try {
                result = sendNow(data, address, length, destination);
            } catch (PythonError e) {
                sendFailed(PyErr.newTaken());
                return;
            }
            if (result >= 0) {
                return;
            }
            if (result != -Errno.EAGAIN && result != -Errno.EINTR) {
                callErrorReceived(PyErr.newOsError((int) -result));
                return;
            }
        }
        if (connectionLostCount != 0) {
            return;
        }
        long ownedBytes = Py.isBytes(data)
                ? Refs.incref(data)
                : PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address, length));
        queue.add(ownedBytes, Refs.incref(destination));
        updateInterest();
        flowControl.afterQueuing(queue.size());
    }

    /**
     * One attempt; the result is the kernel's.
     *
     * @throws PythonError what {@code socket.sendto} raised about an address that only it can judge
     */
    private long sendNow(long data, long address, long length, long destination) {
        if (connected) {
            return loop.calls().send(fd, address, length);
        }
        if (peers.find(destination)) {
            return calls.sendto(fd, address, length, peers.destination(), peers.destinationLength());
        }
        long ownedSent = Calls.newResult(DatagramHelpers.SEND_BY_SOCKET, self, data, destination);
        boolean sent = Py.isTrue(ownedSent);
        Refs.decref(ownedSent);
        return sent ? 0 : -Errno.EAGAIN;
    }

    private void sendFailed(long ownedException) {
        if (isOsError(ownedException)) {
            callErrorReceived(ownedException);
        } else {
            fatal(ownedException, WRITE_FAILURE);
        }
    }

    /** Sends from the queue: when the kernel takes datagrams again. */
    private void writeReady() {
        while (connectionLostCount == 0 && !queue.isEmpty()) {
            if (!sendFirst()) {
                break;
            }
        }
        if (connectionLostCount != 0) {
            return;
        }
        flowControl.afterSending(queue.size());
        if (queue.isEmpty() && connectionLostCount == 0) {
            updateInterest();
            if (closing) {
                connectionLostCount++;
                Calls.run(DatagramHelpers.CALL_CONNECTION_LOST, self, Py.NONE);
            }
        }
    }

    /** @return whether the first of the queue is gone, sent or not */
    private boolean sendFirst() {
        long ownedData = Refs.incref(queue.firstData());
        long ownedException = 0;
        try {
            long result = sendNow(ownedData, Py.bytesData(ownedData), Py.size(ownedData), queue.firstDestination());
            if (result == -Errno.EAGAIN || result == -Errno.EINTR) {
                return false;
            }
            if (result < 0) {
                ownedException = PyErr.newOsError((int) -result);
            }
        } catch (PythonError e) {
            ownedException = PyErr.newTaken();
        } finally {
            Refs.decref(ownedData);
        }
        queue.dropFirst();
        if (ownedException != 0) {
            if (isOsError(ownedException)) {
                reportToProtocol(ownedException);
            } else {
                fatal(ownedException, WRITE_FAILURE);
            }
        }
        return true;
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
     * @return the descriptor, or -1 if it was given up before
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
        peers.release();
        fd = -1;
        if (interest != 0) {
            interest = 0;
            loop.poller().unwatch(detached);
            Refs.decref(self);
        }
        return detached;
    }

    @Override
    public void visitReferences(LongConsumer visit) {
        if (interest != 0) {
            visit.accept(self);
            queue.visitReferences(visit);
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
