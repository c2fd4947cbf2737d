package dev.jvloop.linux;

import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Memory;
import dev.jvloop.foreign.Symbols;
import java.lang.invoke.MethodHandle;

/**
 * Waiting in epoll with a timeout in nanoseconds.
 *
 * <p>epoll_wait counts in milliseconds: a timer of 1.2 ms would wait 2 ms. epoll_pwait2 (Linux 5.11, glibc 2.35)
 * takes a timespec. Where the C library or the kernel lacks it, the timeout is rounded up to the next millisecond,
 * since a timer never fires early.
 *
 * <p>No errno is captured: a wait that fails, which is one that a signal ends as a rule, is made again without waiting.
 */
final class BlockingWait {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final long NANOS_PER_MILLI = 1_000_000L;
    /** Of epoll_pwait2, whose last parameter is the size of the signal mask and of no effect without one. */
    private static final int PARAMETERS = 5;

    private static final MethodHandle EPOLL_PWAIT2 =
            Symbols.findOrZero("epoll_pwait2") == 0 ? null : Downcall.of("epoll_pwait2", Downcall.longs(PARAMETERS));

    private BlockingWait() {}

    /** Bound only where it is needed. */
    private static final class Milliseconds {
        private static final SystemCall EPOLL_WAIT = SystemCall.blocking("epoll_wait");
    }

    /** With errno: for a wait that failed. */
    private static final class Failed {
        private static final SystemCall EPOLL_PWAIT2 = SystemCall.critical("epoll_pwait2");
    }

    private static volatile boolean kernelLacksPwait2;

    static int epollWait(SystemCalls calls, int epoll, long events, int maxEvents, long timeoutNanos) {
        if (EPOLL_PWAIT2 != null && !kernelLacksPwait2) {
            int result = nanoseconds(calls, epoll, events, maxEvents, timeoutNanos);
            if (result != -Errno.ENOSYS) {
                return result;
            }
            kernelLacksPwait2 = true;
        }
        long millis = timeoutNanos < 0 ? -1 : Math.min(Math.ceilDiv(timeoutNanos, NANOS_PER_MILLI), Integer.MAX_VALUE);
        return calls.blockingResult(Milliseconds.EPOLL_WAIT.call(calls.state, epoll, events, maxEvents, millis));
    }

    private static int nanoseconds(SystemCalls calls, int epoll, long events, int maxEvents, long timeoutNanos) {
        long timespec = calls.timespec.address();
        if (timeoutNanos >= 0) {
            Memory.putLong(timespec, timeoutNanos / NANOS_PER_SECOND);
            Memory.putLong(timespec + 8, timeoutNanos % NANOS_PER_SECOND);
        }
        int count = wait(epoll, events, maxEvents, timeoutNanos < 0 ? 0 : timespec);
        return count >= 0 ? count : afterFailure(calls, epoll, events, maxEvents);
    }

    private static int wait(int epoll, long events, int maxEvents, long timespec) {
        try {
            return (int) (long) EPOLL_PWAIT2.invokeExact((long) epoll, events, (long) maxEvents, timespec, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    /** What has come until now, or why the wait failed. */
    private static int afterFailure(SystemCalls calls, int epoll, long events, int maxEvents) {
        long timespec = calls.timespec.address();
        Memory.putLong(timespec, 0);
        Memory.putLong(timespec + 8, 0);
        int again = calls.blockingResult(Failed.EPOLL_PWAIT2.call(calls.state, epoll, events, maxEvents, timespec));
        return again == 0 ? -Errno.EINTR : again;
    }
}
