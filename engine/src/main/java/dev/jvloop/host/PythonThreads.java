package dev.jvloop.host;

import dev.jvloop.capi.Version;
import dev.jvloop.linux.ThreadStack;
import dev.jvloop.py.Gil;
import dev.jvloop.py.PyErr;
import java.lang.ref.Cleaner;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * How Java's threads get into Python, and who is in there.
 *
 * <p>What makes it hard: CPython keeps a state for each thread that was ever in it, which the thread should keep (it
 * holds its {@code threading.local} values, and making one costs microseconds); Java does not say when a thread ends; and
 * a thread that waits for the GIL of an interpreter that has ended is ended itself by CPython, in the middle of Java
 * code. So a thread gets its state when it first comes and keeps it; the state of an ended thread is deleted when the
 * thread's {@link ThreadLocal} value was collected; and nobody may wait for the GIL once {@link #refuse} was called
 * and {@link #awaitNobody} has answered true.
 */
final class PythonThreads {
    /** No states that {@link Gil#enter} returns: the thread does not get in, or should not run Python itself. */
    static final int REFUSED = -1;
    /**
     * Where the stack ends at the entry from Python into Java, nothing catches the StackOverflowError, and the JVM ends.
     * One round takes up to 8 KiB; Python's own limit, of a thousand calls, would come too late.
     */
    private static final int NESTING_LIMIT = 64;

    static final int ELSEWHERE = -2;

    /**
     * CPython counts how deep its C functions recurse, and allows them what needs up to 4 MiB: a nested list of a
     * JSON text does. With less the process would end without a word.
     */
    private static final long AMPLE_STACK_SIZE_BYTES = 4L << 20;

    /** What a Java thread has unless somebody said otherwise is 1 MiB, of which the C library may take some. */
    private static final long JAVA_STACK_SIZE_BYTES = 1000L << 10;

    /**
     * How deep C functions may recurse there: the most wasteful, {@code sorted} in a function that it calls, takes 600 KiB
     * for that on 3.12 and 400 on 3.13. Importing large packages takes less than 100.
     */
    private static final int SMALL_C_RECURSION_LIMIT = 300;

    private final ThreadLocal<Visitor> visitors = ThreadLocal.withInitial(this::newVisitor);
    private final Set<Presence> presences = ConcurrentHashMap.newKeySet();
    private final Cleaner cleaner;
    private volatile boolean refusing;
    /** A permit for each time that somebody left while {@link #refusing}. */
    private final Semaphore departures = new Semaphore(0);

    PythonThreads(Cleaner cleaner) {
        this.cleaner = cleaner;
    }

    /** What a thread knows of itself: alive as long as the thread. */
    private static final class Visitor {
        final Presence presence;
        final long stackSizeBytes = ThreadStack.sizeBytes();
        int depth;
        /** How often Python has called Java functions that have not returned. */
        int javaDepth;

        boolean isKnown;

        Visitor(Presence presence) {
            this.presence = presence;
        }

        /** Whether this thread should run Python. */
        boolean hasRoom() {
            return stackSizeBytes >= AMPLE_STACK_SIZE_BYTES
                    || isKnown
                    || (Version.COUNTS_C_RECURSION && stackSizeBytes >= JAVA_STACK_SIZE_BYTES && !Gil.isKnownThread());
        }

        long newThreadState() {
            return stackSizeBytes >= AMPLE_STACK_SIZE_BYTES
                    ? Gil.newThreadState()
                    : Gil.newThreadState(SMALL_C_RECURSION_LIMIT);
        }
    }

    /** What others know of a thread. */
    private static final class Presence {
        final WeakReference<Thread> thread = new WeakReference<>(Thread.currentThread());
        final long ident = Gil.threadIdent();
        volatile boolean isInside;
        /** For whom this thread runs Python, if not for itself. */
        volatile Thread callerOrNull;
        /** The thread state made for the thread, or 0. */
        long ownedState;
    }

    private Visitor newVisitor() {
        Presence presence = new Presence();
        Visitor visitor = new Visitor(presence);
        presences.add(presence);
        cleaner.register(visitor, () -> forget(presence));
        return visitor;
    }

    /**
     * Takes the GIL. A thread that is in Python already may have it or not.
     *
     * @return for {@link #leave}; or {@link #ELSEWHERE} for a thread that should have another run Python for it, since it
     *     is virtual and would hold its carrier, or has a small stack
     * @throws IllegalStateException if Python is ending, unless the thread is in it already
     */
    int enter() {
        int before = enterOrRefused();
        if (before == REFUSED) {
            throw closed();
        }
        return before;
    }

    /** {@link #enter} that answers {@link #REFUSED} if Python is ending. */
    int enterOrRefused() {
        if (Thread.currentThread().isVirtual()) {
            return ELSEWHERE;
        }
        Visitor visitor = visitors.get();
        if (visitor.depth == 0) {
            // One that has the GIL would wait for the other with it.
            if (!visitor.hasRoom() && !Gil.isHeld()) {
                return ELSEWHERE;
            }
            if (!arrive(visitor)) {
                return REFUSED;
            }
        }
        visitor.depth++;
        return Gil.enter();
    }

    static IllegalStateException closed() {
        return new IllegalStateException("Python was closed");
    }

    void leave(int before) {
        Gil.leave(before);
        leaveOnce(visitors.get());
    }

    /** Runs something for another thread, which messages name instead of this one. */
    <T> T runFor(Thread caller, Supplier<T> action) {
        Presence presence = visitors.get().presence;
        presence.callerOrNull = caller;
        try {
            return action.get();
        } finally {
            presence.callerOrNull = null;
        }
    }

    /** Whether the calling thread is in Python, called from there or about to return to it. */
    boolean isInside() {
        return !Thread.currentThread().isVirtual() && visitors.get().depth > 0;
    }

    /**
     * Runs, without the GIL, Java code that Python has called on this thread and that may take long: Python does not end
     * meanwhile. With the GIL.
     *
     * @throws IllegalStateException if Python is ending, unless the thread was in it already
     * @throws dev.jvloop.py.PythonError RecursionError, if the languages have called each other too often
     */
    <T> T runJava(Callable<T> body) throws Exception {
        Visitor visitor = visitors.get();
        if (visitor.javaDepth == NESTING_LIMIT) {
            throw PyErr.raise(
                    PyErr.RECURSION_ERROR,
                    "Java and Python have called each other more than " + NESTING_LIMIT + " times without returning");
        }
        if (visitor.depth == 0 && !arrive(visitor)) {
            throw closed();
        }
        visitor.depth++;
        visitor.javaDepth++;
        try {
            return Gil.without(body::call);
        } finally {
            visitor.javaDepth--;
            leaveOnce(visitor);
        }
    }

    /** Lets this thread, which ends Python, go on in it after {@link #refuse}. */
    void remain() {
        visitors.get().depth++;
    }

    private void leaveOnce(Visitor visitor) {
        if (--visitor.depth == 0) {
            depart(visitor.presence);
        }
    }

    private boolean arrive(Visitor visitor) {
        Presence presence = visitor.presence;
        // First say that one comes, then see whether one may; refuse() does it the other way round.
        presence.isInside = true;
        if (refusing) {
            depart(presence);
            return false;
        }
        if (!visitor.isKnown) {
            if (!Gil.isKnownThread()) {
                presence.ownedState = visitor.newThreadState();
            }
            // One that Python or another library made goes when they want: then look again.
            visitor.isKnown = presence.ownedState != 0;
        }
        return true;
    }

    private void depart(Presence presence) {
        presence.isInside = false;
        if (refusing) {
            departures.release();
        }
    }

    /** On the cleaner's thread, which has no thread state of its own. */
    private void forget(Presence presence) {
        presences.remove(presence);
        if (presence.ownedState == 0) {
            return;
        }
        Presence own = new Presence();
        presences.add(own);
        own.isInside = true;
        if (!refusing) {
            Gil.deleteStateOfEndedThread(presence.ownedState);
        }
        depart(own);
        presences.remove(own);
    }

    /** From now on no thread gets in. */
    void refuse() {
        refusing = true;
    }

    /**
     * Waits until no thread is in Python; false if some still are when the time is over. After {@link #refuse}.
     * Interrupting does not shorten it.
     */
    boolean awaitNobody(Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        boolean wasInterrupted = false;
        try {
            while (isAnybodyInside()) {
                try {
                    boolean somebodyLeft = departures.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                    if (!somebodyLeft && isAnybodyInside()) {
                        return false;
                    }
                } catch (InterruptedException e) {
                    wasInterrupted = true;
                }
            }
            return true;
        } finally {
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean isAnybodyInside() {
        return presences.stream().anyMatch(presence -> presence.isInside);
    }

    /** Raises an exception of this class in each thread that is in Python. With the GIL. */
    void raiseInside(long exceptionClass) {
        for (Presence presence : presences) {
            if (presence.isInside) {
                Gil.raiseInThread(presence.ident, exceptionClass);
            }
        }
    }

    /** Raises an exception of this class in a thread; false if it is not in Python. With the GIL. */
    boolean raiseIn(Thread thread, long exceptionClass) {
        for (Presence presence : presences) {
            if (presence.isInside && presence.thread.refersTo(thread)) {
                Gil.raiseInThread(presence.ident, exceptionClass);
                return true;
            }
        }
        return false;
    }

    /** The threads in Python, for a message. */
    String namesInside() {
        return presences.stream()
                .filter(presence -> presence.isInside)
                .map(PythonThreads::nameOf)
                .sorted()
                .collect(Collectors.joining(", "));
    }

    private static String nameOf(Presence presence) {
        Thread callerOrNull = presence.callerOrNull;
        Thread threadOrNull = callerOrNull == null ? presence.thread.get() : callerOrNull;
        if (threadOrNull == null) {
            return "a thread that has ended";
        }
        return threadOrNull.getName().isEmpty() ? threadOrNull.toString() : "\"" + threadOrNull.getName() + "\"";
    }

    /** How many threads have a state that was made for them. */
    long knownCount() {
        return presences.stream().filter(presence -> presence.ownedState != 0).count();
    }
}
