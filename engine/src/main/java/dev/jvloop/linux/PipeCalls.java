package dev.jvloop.linux;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Reading and writing pipes and character devices, through the errno funnel of a loop's {@link SystemCalls}.
 *
 * <p>These calls are not critical ones, though the descriptors are made non-blocking: O_NONBLOCK belongs to the open
 * file description, and a terminal or pipe on standard output is often shared with other processes, any of which may
 * clear it (shells do). A critical call that blocks would stop the whole JVM.
 */
public final class PipeCalls {
    private static final MethodHandle READ = SystemCalls.blocking("read");
    private static final MethodHandle WRITE = SystemCalls.blocking("write");

    /** Bound when a pipe is full for the first time. */
    private static final class Gathering {
        private static final MethodHandle WRITEV = SystemCalls.blocking("writev");
    }

    private final SystemCalls calls;
    private final MemorySegment state;

    public PipeCalls(SystemCalls calls) {
        this.calls = calls;
        this.state = calls.state();
    }

    public long read(int fd, long buffer, long length) {
        try {
            return calls.result((long) READ.invokeExact(state, (long) fd, buffer, length, 0L, 0L));
        } catch (Throwable t) {
            throw SystemCalls.failed(t);
        }
    }

    public long write(int fd, long buffer, long length) {
        try {
            return calls.result((long) WRITE.invokeExact(state, (long) fd, buffer, length, 0L, 0L));
        } catch (Throwable t) {
            throw SystemCalls.failed(t);
        }
    }

    /** @param iovecs address of {@code count} struct iovec */
    public long writev(int fd, long iovecs, int count) {
        try {
            return calls.result((long) Gathering.WRITEV.invokeExact(state, (long) fd, iovecs, (long) count, 0L, 0L));
        } catch (Throwable t) {
            throw SystemCalls.failed(t);
        }
    }
}
