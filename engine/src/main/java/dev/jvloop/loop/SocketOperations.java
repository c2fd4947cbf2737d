package dev.jvloop.loop;

import dev.jvloop.capi.Longs;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.Poller;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;

/** The system calls of {@code sock_recv} and {@code sock_sendall}, for plain, non-blocking sockets. */
final class SocketOperations {
    /** Behind a message that is longer than this there is probably another one. */
    private static final int MOST_OF_A_LONE_MESSAGE = 16 * 1024;

    private SocketOperations() {}

    /**
     * Receives up to {@code count} bytes.
     *
     * <p>A server that has its request, and has answered it, finds nothing when it asks for the next one. So where a read
     * has emptied the socket and the loop has not looked at it since, the kernel is asked to wake the loop at once,
     * without another read first; it looks by itself whether something has come meanwhile.
     *
     * @return a new reference to a bytes object, empty at the end of the stream; or, if nothing is there yet, to a future
     *     that wakes when something is; or to None if asyncio's checks come first: it is no plain socket, or more than
     *     {@link IoScratch#READ_SIZE} is asked for
     * @throws PythonError OSError
     */
    static long newBytesOrWaiter(EventLoop loop, long socket, long count) {
        int fd = PlainSocket.fdOrMinusOne(socket);
        // The buffer of a closed loop is gone.
        if (fd < 0 || !Py.isInt(count) || loop.isClosed()) {
            return Py.newNone();
        }
        long most = Longs.PyLong_AsLongLong(count);
        if (most < 0 || most > IoScratch.READ_SIZE) {
            PyErrors.PyErr_Clear();
            return Py.newNone();
        }
        FdWatch watchOrNull = FdWatch.ofOrNull(loop, fd);
        if (watchOrNull != null && watchOrNull.wasEmptiedJustNow()) {
            long ownedWaiterOrNull = FdWatch.newWaiterOrNull(loop, fd, Poller.READ);
            if (ownedWaiterOrNull != 0) {
                return ownedWaiterOrNull;
            }
        }
        BytesReceiver receiver = watchOrNull == null ? new BytesReceiver(loop) : watchOrNull.receiver();
        long received = receiver.receive(fd, most);
        if (received >= 0) {
            if (watchOrNull != null
                    && received < MOST_OF_A_LONE_MESSAGE
                    && !loop.calls().mayHaveLeft(received, most)) {
                watchOrNull.noteEmptied();
            }
            return receiver.takeOwnedBytes();
        }
        if (received == -Errno.EAGAIN || received == -Errno.EINTR) {
            long ownedWaiterOrNull = FdWatch.newWaiterOrNull(loop, fd, Poller.READ);
            return ownedWaiterOrNull == 0 ? Py.newNone() : ownedWaiterOrNull;
        }
        throw PyErr.raiseOsError((int) -received);
    }

    /**
     * Sends what the kernel takes of a bytes object.
     *
     * @return a new reference to the number of bytes sent, or to None if it took all; -1 if asyncio's checks come first: it
     *     is no plain socket, or no bytes object
     * @throws PythonError OSError
     */
    static long newSentOrNone(EventLoop loop, long socket, long bytes) {
        int fd = PlainSocket.fdOrMinusOne(socket);
        if (fd < 0 || !Py.isBytes(bytes)) {
            return PyErr.checked(Longs.PyLong_FromLongLong(-1));
        }
        long length = Py.size(bytes);
        long sent = loop.calls().send(fd, Py.bytesData(bytes), length, 0);
        if (sent == length) {
            return Py.newNone();
        }
        if (sent == -Errno.EAGAIN || sent == -Errno.EINTR) {
            sent = 0;
        }
        if (sent < 0) {
            throw PyErr.raiseOsError((int) -sent);
        }
        return PyErr.checked(Longs.PyLong_FromLongLong(sent));
    }
}
