package dev.jvloop.loop;

import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Names;
import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/**
 * The clock of a {@code jvloop.testing.VirtualClock}: it stands still while there is something to do, and jumps where
 * another would wait. The time is a word in the Python object's memory, so that both sides read it without a call.
 */
final class VirtualClock extends Clock implements ReferenceHolder {
    private static final int NOW = 0;
    private static final int PATIENCE = 8;

    private final long state;
    private long ownedClock;
    private long lastNanos;
    /** How far the time jumps at the end of the wait. */
    private long jumpNanos;

    /**
     * @param clock borrowed reference to the Python clock, which owns the memory at {@code state}: the time and the
     *     patience, in nanoseconds
     */
    VirtualClock(long clock, long state) {
        this.ownedClock = Refs.incref(clock);
        this.state = state;
    }

    @Override
    public long nanos() {
        if (ownedClock != 0) {
            lastNanos = Memory.getLong(state + NOW);
        }
        return lastNanos;
    }

    @Override
    long beginWait(long timeoutNanos, long limitNanos) {
        if (timeoutNanos == EventLoop.FOREVER || isHeld()) {
            jumpNanos = 0;
            return limitNanos;
        }
        jumpNanos = timeoutNanos;
        return Memory.getLong(state + PATIENCE);
    }

    @Override
    void endWait(int count) {
        if (count != 0) {
            return;
        }
        long now = nanos();
        Memory.putLong(state + NOW, jumpNanos > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + jumpNanos);
    }

    /** Whether the time may not jump: real work is under way that the loop would wait for. */
    private boolean isHeld() {
        long ownedResult = Calls.newMethodResult(ownedClock, Names.IS_HELD);
        boolean held = Py.isTrue(ownedResult);
        Refs.decref(ownedResult);
        return held;
    }

    @Override
    public void visitReferences(LongConsumer visit) {
        if (ownedClock != 0) {
            visit.accept(ownedClock);
        }
    }

    /** The time stands from now on. */
    @Override
    public void releaseReferences() {
        if (ownedClock != 0) {
            lastNanos = nanos();
            long owned = ownedClock;
            ownedClock = 0;
            Refs.decref(owned);
        }
    }
}
