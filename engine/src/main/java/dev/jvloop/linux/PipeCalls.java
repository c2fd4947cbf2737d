package dev.jvloop.linux;

import java.lang.foreign.MemorySegment;

/**
 * Reading and writing pipes and character devices, through the errno funnel of a loop's {@link SystemCalls}.
 *
 * <p>These calls are not critical ones, though the descriptors are made non-blocking: O_NONBLOCK belongs to the open
 * file description, and a terminal or pipe on standard output is often shared with other processes, any of which may
 * clear it (shells do). A critical call that blocks would stop the whole JVM.
 */
public final class PipeCalls {
    private static final SystemCall READ = SystemCall.blocking("read");
    private static final SystemCall WRITE = SystemCall.blocking("write");

    /** Bound when a pipe is full for the first time. */
    private static final class Gathering {
        private static final SystemCall WRITEV = SystemCall.blocking("writev");
    }

    private final SystemCalls calls;
    private final MemorySegment state;

    public PipeCalls(SystemCalls calls) {
        this.calls = calls;
        this.state = calls.state();
    }

    public long read(int fd, long buffer, long length) {
        return calls.result(READ.call(state, fd, buffer, length));
    }

    public long write(int fd, long buffer, long length) {
        return calls.result(WRITE.call(state, fd, buffer, length));
    }

    /** @param iovecs address of {@code count} struct iovec */
    public long writev(int fd, long iovecs, int count) {
        return calls.result(Gathering.WRITEV.call(state, fd, iovecs, count));
    }
}
