package dev.jvloop.loop;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.Longs;
import dev.jvloop.linux.Errno;
import dev.jvloop.linux.Poller;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;

/** The system calls of {@code sock_recv} and {@code sock_sendall}, for plain, non-blocking sockets. */
final class SocketOperations {
    private SocketOperations() {}

    /**
     * Receives up to {@code count} bytes, at most {@link IoScratch#READ_SIZE}.
     *
     * @return a new reference to a bytes object, empty at the end of the stream; or, if nothing is there yet, to a future
     *     that wakes when something is; or to None if asyncio's checks come first
     * @throws PythonError OSError
     */
    static long newBytesOrWaiter(EventLoop loop, int fd, int count) {
        if (loop.isClosed()) {
            // Its buffer is gone.
            return Py.newNone();
        }
        long received = loop.calls().recv(fd, loop.scratch().readBuffer, Math.min(count, IoScratch.READ_SIZE));
        if (received >= 0) {
            return PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(loop.scratch().readBuffer, received));
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
     * @return a new reference to the number of bytes sent, or to None if it took all
     * @throws PythonError OSError
     */
    static long newSentOrNone(EventLoop loop, int fd, long bytes) {
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
