package dev.jvloop.linux;

import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * sendfile(2). It may block on the disk, so it is no critical call, and the caller does not hold the GIL.
 *
 * <p>With an errno funnel of its own: while the GIL is released, another thread may use the loop's, to give up the
 * descriptor of a transport that it finalises.
 */
public final class FileCalls {
    private static final SystemCall SENDFILE = SystemCall.blocking("sendfile");

    private final SystemCalls calls = new SystemCalls();
    private final MemorySegment offsetWord = Arena.ofAuto().allocate(8, 8);

    /**
     * Sends from a file to a socket. The file's own position is neither used nor changed.
     *
     * @return how many bytes were sent, 0 at the end of the file, or {@code -errno}
     */
    public long sendfile(int socket, int file, long offset, long count) {
        Memory.putLong(offsetWord.address(), offset);
        return calls.result(SENDFILE.call(calls.state(), socket, file, offsetWord.address(), count));
    }
}
