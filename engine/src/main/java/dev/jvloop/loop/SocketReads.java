package dev.jvloop.loop;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.linux.Errno;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;

/** The read of {@code sock_recv}. */
final class SocketReads {
    private SocketReads() {}

    /**
     * Receives up to {@code count} bytes, at most {@link IoScratch#READ_SIZE}, from a non-blocking socket.
     *
     * @return a new reference to a bytes object, empty at the end of the stream, or to None if nothing is there yet
     * @throws PythonError OSError
     */
    static long newBytesOrNone(EventLoop loop, int fd, int count) {
        long received = loop.calls().recv(fd, loop.scratch().readBuffer, Math.min(count, IoScratch.READ_SIZE));
        if (received >= 0) {
            return PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(loop.scratch().readBuffer, received));
        }
        if (received == -Errno.EAGAIN || received == -Errno.EINTR) {
            return Py.newNone();
        }
        throw PyErr.raiseOsError((int) -received);
    }
}
