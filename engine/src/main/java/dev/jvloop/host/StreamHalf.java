package dev.jvloop.host;

import dev.jvloop.foreign.Memory;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import java.util.concurrent.atomic.AtomicReference;

/** The Java half of a Python object, one coroutine of which waits for what Java threads do. */
abstract class StreamHalf {
    private static final long JAVA_HALF = Namespace.integer("slot.JavaHalf._java_half");

    private final AtomicReference<LoopWaiter> waiter = new AtomicReference<>();

    /** The Java half of a {@code JavaHalf}. */
    static Object of(long self) {
        return JavaReference.get(Memory.getLong(self + JAVA_HALF));
    }

    /** Whether there is something to go on with. */
    abstract boolean isReady();

    /** Notes that the coroutine is about to wait in a future; false if it need not. The loop's thread. */
    final boolean mustWait(long pythonLoop, long future) {
        // First say that one waits, then look; who wakes does it the other way round.
        waiter.set(new LoopWaiter(pythonLoop, future));
        if (!isReady()) {
            return true;
        }
        forgetWaiter();
        return false;
    }

    /** Wakes the coroutine if it waits. Any thread, after what made this ready. */
    final void wake() {
        if (waiter.get() == null) {
            return;
        }
        LoopWaiter found = waiter.getAndSet(null);
        if (found != null && !found.wake()) {
            // For the coroutine's own end, where its reference can be given back.
            waiter.set(found);
        }
    }

    /** Nobody waits any more. The loop's thread. */
    final void forgetWaiter() {
        LoopWaiter found = waiter.getAndSet(null);
        if (found != null) {
            found.forget();
        }
    }
}
