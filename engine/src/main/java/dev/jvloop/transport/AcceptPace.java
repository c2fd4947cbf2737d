package dev.jvloop.transport;

/**
 * How many connections a listener accepts for one event.
 *
 * <p>asyncio accepts all that wait, up to the backlog. A connection that is accepted, served and, if it is short, closed
 * before the next one is accepted finds its own memory and the kernel's in the processor's cache: where 50 clients
 * connect, send a byte, get it back and close, one accept for each event takes 6 % less CPU time than all that wait. But
 * a loop that comes round slowly must not leave them where the backlog overflows. So the number goes by the time since
 * the last event: a quick loop accepts one, and in the long run every loop 10,000 a second at least, if so many come.
 */
final class AcceptPace {
    private static final long NANOS_EACH = 100_000;

    /** With this, one for each tenth of a millisecond is more than any backlog. */
    private static final long REST_NANOS = 1_000_000_000_000L;

    private long lastNanos;

    /** The first event is one after a rest, for which all that wait are accepted. */
    AcceptPace(long nowNanos) {
        lastNanos = nowNanos - REST_NANOS;
    }

    /** How many may be accepted at {@code nowNanos}: one at least, otherwise no more than {@code backlog}. */
    int next(long nowNanos, int backlog) {
        long due = 1 + (nowNanos - lastNanos) / NANOS_EACH;
        lastNanos = nowNanos;
        return (int) Math.max(1, Math.min(due, backlog));
    }
}
