package dev.jvloop.linux;

import dev.jvloop.foreign.CFunction;
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
 * <p>No errno is captured. A wait that fails, which is one that a signal ends as a rule, gives a negative number like
 * another; {@link #reason} says why. A loop does not ask: a branch that the first signal is the first to take would have
 * the loop's compiled code thrown away, with all that is inlined in it.
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
        private static final CFunction EPOLL_WAIT = Downcall.plain("epoll_wait");
    }

    /** Or the C library does. */
    private static volatile boolean kernelLacksPwait2;
    /** Whether that is known: the first wait finds it out. */
    private static volatile boolean tried;

    /** @return how many events there are, or a negative number if the wait failed */
    static int epollWait(SystemCalls calls, int epoll, long events, int maxEvents, long timeoutNanos) {
        if (!tried) {
            int count = withoutWaiting(calls, epoll, events, maxEvents);
            if (count != 0) {
                return count;
            }
        }
        return kernelLacksPwait2
                ? milliseconds(epoll, events, maxEvents, timeoutNanos)
                : nanoseconds(calls, epoll, events, maxEvents, timeoutNanos);
    }

    /** Why a wait has failed: {@code -errno}, EINTR if nothing is wrong, or how many events have come since. */
    static int reason(SystemCalls calls, int epoll, long events, int maxEvents) {
        int again = calls.epollWaitNow(epoll, events, maxEvents);
        return again == 0 ? -Errno.EINTR : again;
    }

    /** What is there already, or a negative number. Notes whether the kernel has epoll_pwait2 and lets it be called. */
    private static int withoutWaiting(SystemCalls calls, int epoll, long events, int maxEvents) {
        int count = EPOLL_PWAIT2 == null ? -1 : nanoseconds(calls, epoll, events, maxEvents, 0);
        if (count < 0) {
            count = calls.epollWaitNow(epoll, events, maxEvents);
            if (count < 0) {
                return count;
            }
            kernelLacksPwait2 = true;
        }
        tried = true;
        return count;
    }

    private static int milliseconds(int epoll, long events, int maxEvents, long timeoutNanos) {
        long millis = timeoutNanos < 0 ? -1 : Math.min(Math.ceilDiv(timeoutNanos, NANOS_PER_MILLI), Integer.MAX_VALUE);
        return (int) Milliseconds.EPOLL_WAIT.call(epoll, events, maxEvents, millis);
    }

    private static int nanoseconds(SystemCalls calls, int epoll, long events, int maxEvents, long timeoutNanos) {
        long timespec = calls.timespec.address();
        if (timeoutNanos >= 0) {
            Memory.putLong(timespec, timeoutNanos / NANOS_PER_SECOND);
            Memory.putLong(timespec + 8, timeoutNanos % NANOS_PER_SECOND);
        }
        long timespecOrNull = timeoutNanos < 0 ? 0 : timespec;
        try {
            return (int) (long) EPOLL_PWAIT2.invokeExact((long) epoll, events, (long) maxEvents, timespecOrNull, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
