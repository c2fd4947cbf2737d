package dev.jvloop.linux;

import dev.jvloop.foreign.Memory;
import dev.jvloop.foreign.Symbols;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Waiting in epoll with a timeout in nanoseconds.
 *
 * <p>epoll_wait counts in milliseconds: a timer of 1.2 ms would wait 2 ms. epoll_pwait2 (Linux 5.11, glibc 2.35)
 * takes a timespec. Where the C library or the kernel lacks it, the timeout is rounded up to the next millisecond,
 * since a timer never fires early.
 */
final class BlockingWait {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final long NANOS_PER_MILLI = 1_000_000L;
    private static final SystemCall EPOLL_PWAIT2 =
            Symbols.findOrZero("epoll_pwait2") == 0 ? null : SystemCall.blocking("epoll_pwait2");

    private BlockingWait() {}

    /** Bound only where it is needed. */
    private static final class Milliseconds {
        private static final SystemCall EPOLL_WAIT = SystemCall.blocking("epoll_wait");
    }

    private static volatile boolean kernelLacksPwait2;

    static int epollWait(
            SystemCalls calls, MemorySegment state, int epoll, long events, int maxEvents, long timeoutNanos) {
        if (EPOLL_PWAIT2 != null && !kernelLacksPwait2) {
            int result = nanoseconds(calls, state, epoll, events, maxEvents, timeoutNanos);
            if (result != -Errno.ENOSYS) {
                return result;
            }
            kernelLacksPwait2 = true;
        }
        long millis = timeoutNanos < 0 ? -1 : Math.min(Math.ceilDiv(timeoutNanos, NANOS_PER_MILLI), Integer.MAX_VALUE);
        return calls.blockingResult(Milliseconds.EPOLL_WAIT.call(state, epoll, events, maxEvents, millis));
    }

    private static int nanoseconds(
            SystemCalls calls, MemorySegment state, int epoll, long events, int maxEvents, long timeoutNanos) {
        try (Arena arena = Arena.ofConfined()) {
            long timespec = 0;
            if (timeoutNanos >= 0) {
                timespec = arena.allocate(16, 8).address();
                Memory.putLong(timespec, timeoutNanos / NANOS_PER_SECOND);
                Memory.putLong(timespec + 8, timeoutNanos % NANOS_PER_SECOND);
            }
            return calls.blockingResult(EPOLL_PWAIT2.call(state, epoll, events, maxEvents, timespec));
        }
    }
}
