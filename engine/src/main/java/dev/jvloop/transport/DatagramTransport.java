package dev.jvloop.transport;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.Objects;
import dev.jvloop.capi.Version;
import dev.jvloop.foreign.Memory;
import dev.jvloop.linux.DatagramCalls;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.Poller;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
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
 * {@code protocol.error_received}, and an exception of the protocol's to the loop's exception handler.
 */
public final class DatagramTransport extends WritableTransport {
    /**
     * How many datagrams one event may bring, as long as none of them queues a callback: a protocol that hands each to a
     * future gets the next one when whoever awaits it has had the turn to make a new future. asyncio takes one for each
     * event; more of them save polls, and the bound keeps a flooded socket from starving the others: it is some 50 us
     * of a small protocol's time.
     */
    private static final int MAX_DATAGRAMS_PER_EVENT = 16;

    /** From 3.13 on asyncio sends datagrams without data, and counts a header for each datagram that waits. */
    private static final boolean SENDS_EMPTY_DATAGRAMS = Version.atLeast(3, 13);

    private static final int HEADER_SIZE = SENDS_EMPTY_DATAGRAMS ? 8 : 0;

    private static final String WRITE_FAILURE = "Fatal write error on datagram transport";

    private final DatagramCalls calls;
    private final boolean connected;
    private final boolean hasRemoteAddress;
    private final PeerAddresses peers;
    private final DatagramQueue queue = new DatagramQueue(HEADER_SIZE);

    /**
     * @param connected whether the socket has a peer, so that datagrams are sent without an address
     * @param hasRemoteAddress whether the {@code _address} slot holds the one address that datagrams go to
     */
    DatagramTransport(EventLoop loop, long self, int fd, int family, boolean connected, boolean hasRemoteAddress) {
        super(loop, self, fd, false, LOST_WRITES_OF_SOCKETS);
        this.connected = connected;
        this.hasRemoteAddress = hasRemoteAddress;
        this.calls = new DatagramCalls(loop.calls());
        this.peers = new PeerAddresses(family, connected);
    }

    @Override
    long bufferedByteCount() {
        return queue.size();
    }

    @Override
    boolean isDrained() {
        return queue.isEmpty();
    }

    @Override
    void dropQueued() {
        queue.clear();
    }

    @Override
    int wantedInterest() {
        return (isStarted() && isReading() ? Poller.READ : 0) | (queue.isEmpty() ? 0 : Poller.WRITE);
    }

    // ---- reading ----

    @Override
    void readReady() {
        int readyBefore = loop.readyCount();
        for (int i = 0; i < MAX_DATAGRAMS_PER_EVENT; i++) {
            if ((interest() & Poller.READ) == 0 || !receiveOne()) {
                return;
            }
            if (loop.readyCount() != readyBefore || loop.isStopping()) {
                break;
            }
        }
        loop.poller().noteFollowed();
    }

    /** @return whether there may be another datagram */
    private boolean receiveOne() {
        IoScratch scratch = loop.scratch();
        Memory.putInt(scratch.addressLength, IoScratch.SOCKADDR_SIZE);
        long length =
                calls.recvfrom(fd(), scratch.readBuffer, IoScratch.READ_SIZE, scratch.address, scratch.addressLength);
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
            ownedAddress = peers.newReceived(loop.scratch());
            ownedData = newReceivedData(length, ownedAddress);
        } catch (PythonError e) {
            fatal("Fatal read error on datagram transport");
            return;
        }
        long ownedResult = loop.scratch().callMethod(protocol(), Names.DATAGRAM_RECEIVED, ownedData, ownedAddress);
        loop.scratch().spareBytes.giveBack(ownedData);
        Refs.decref(ownedAddress);
        if (ownedResult == 0) {
            callbackFailed(PyErr.newTaken(), "protocol.datagram_received");
        } else {
            Refs.decref(ownedResult);
        }
    }

    private long newReceivedData(long length, long ownedAddress) {
        try {
            return loop.scratch().spareBytes.newCopy(loop.scratch().readBuffer, length);
        } catch (PythonError e) {
            PyErr.preserving(() -> Refs.decref(ownedAddress));
            throw e;
        }
    }

    // ---- errors ----

    /** Calls {@code error_received}; what that raises goes on to the caller. */
    private void callErrorReceived(long ownedException) {
        long ownedMethod;
        try {
            ownedMethod = Py.newAttribute(protocol(), Names.ERROR_RECEIVED);
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
            callbackFailed(PyErr.newTaken(), "protocol.error_received");
        }
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
        if (isLost() && (hasRemoteAddress || fd() < 0)) {
            noteLostWrite();
        } else if (Py.isBytes(data)) {
            send(data, Py.bytesData(data), Py.size(data), target);
        } else {
            sendBuffer(data, target);
        }
    }

    private static boolean isEmpty(long data) {
        return Py.isBytes(data) ? Py.size(data) == 0 : !Py.isTrue(data);
    }

    private void sendBuffer(long data, long destination) {
        Buffer buffer;
        try {
            buffer = Buffer.of(data);
        } catch (PythonError e) {
            fatal(WRITE_FAILURE);
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
        if (isLost()) {
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
        loop.poller().noteFollowed();
        if (connected) {
            return loop.calls().send(fd(), address, length);
        }
        if (peers.find(destination)) {
            return calls.sendto(fd(), address, length, peers.destination(), peers.destinationLength());
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

    @Override
    void writeReady() {
        while (!isLost() && !queue.isEmpty()) {
            if (!sendFirst()) {
                break;
            }
        }
        if (isLost()) {
            return;
        }
        flowControl.afterSending(queue.size());
        if (queue.isEmpty() && !isLost()) {
            updateInterest();
            if (isClosing()) {
                finishClosing();
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

    // ---- the end ----

    @Override
    int detach() {
        int detached = super.detach();
        peers.release();
        return detached;
    }

    @Override
    void visitQueued(LongConsumer visit) {
        queue.visitReferences(visit);
    }
}
