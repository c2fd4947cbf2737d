package dev.jvloop;

import dev.jvloop.reactor.EpollReactor;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * The engine's poller and timers, for Java programs that build on them. No Python is needed or loaded: file descriptors
 * of any origin with handlers, timers, and tasks from other threads, one turn at a time.
 *
 * <pre>{@code
 * try (Reactor reactor = Reactor.open()) {
 *     reactor.register(listener, Interest.READ, (registration, ready) -> accept(registration.fd()));
 *     reactor.schedule(Duration.ofSeconds(30), this::dropIdleConnections);
 *     while (reactor.isOpen()) {
 *         reactor.runOnce();
 *     }
 * }
 * }</pre>
 *
 * <p><b>Threads.</b> {@link #execute}, {@link #wakeup}, {@link #close} and {@link #isOpen} are for any thread; everything
 * else, timers and registrations too, is for one at a time: while a thread is in such a method, above all in
 * {@code runOnce}, the others get a {@link WrongThreadException}. Between two turns another thread may go on. A virtual
 * thread holds its carrier while it waits. Interrupting a thread does not end its wait; {@link #wakeup} does.
 *
 * <p><b>What handlers, timers and tasks throw</b> goes to the handler that {@link #setUncaughtExceptionHandler} was given,
 * else to that of the thread ({@link Thread#getUncaughtExceptionHandler}), and the run goes on. What that handler throws
 * itself comes out of {@code runOnce}; what was not run then is run by the next one.
 *
 * <p><b>Descriptors</b> are the program's: the reactor closes none. A registration has to be cancelled before its
 * descriptor is closed. A program that does it the other way round gets no events of a stranger that has the number then,
 * and may register the number anew, but cannot change the former registration.
 */
public interface Reactor extends Executor, AutoCloseable {
    /**
     * Opens a reactor, with two descriptors of its own.
     *
     * @throws IOException if the process or the system has no more descriptors
     */
    static Reactor open() throws IOException {
        return EpollReactor.open();
    }

    /**
     * Watches a descriptor for as long as it is registered: the handler is told in each turn, until it has read or written
     * so much that the descriptor is no longer ready (level-triggered). A former registration of the number ends.
     *
     * @param fd a socket, pipe, terminal or other descriptor that can be polled; non-blocking, if a handler is not to wait
     * @throws IOException if the descriptor is not open, is that of a regular file or directory, or there is no room for
     *     it; nothing has changed then
     * @throws IllegalStateException if the reactor is closed
     */
    Registration register(int fd, Interest interest, Handler handler) throws IOException;

    /**
     * Runs a task once, after a delay; one of 0 or less is over in the next turn. Never early. Timers that are due in one turn
     * run in the order of their deadlines, those of one deadline in the order they were made.
     *
     * @throws IllegalStateException if the reactor is closed
     */
    Timer schedule(Duration delay, Runnable task);

    /** {@link #schedule} at a time, in {@link System#nanoTime}'s nanoseconds. */
    Timer scheduleAt(long nanoTime, Runnable task);

    /**
     * Runs a task in the next turn, after those given before. Any thread; a thread that waits in {@code runOnce} is woken.
     *
     * @throws java.util.concurrent.RejectedExecutionException if the reactor is closed
     */
    @Override
    void execute(Runnable task);

    /** Ends the wait of the running turn, or that of the next one. Any thread. Does nothing once the reactor is closed. */
    void wakeup();

    /**
     * One turn: 1. waits until there is something to do, for as long as the timeout says, and tells the handlers of the
     * descriptors that are ready; 2. takes the timers that are due; 3. takes the tasks of {@link #execute}; 4. runs these.
     * What they add is for the next turn.
     *
     * @param timeout zero not to wait. It may return earlier, with nothing run
     * @return how many handlers, timers and tasks were run
     * @throws IllegalStateException if the reactor is closed, or is running: a handler cannot run it
     * @throws IllegalArgumentException if the timeout is negative
     * @throws java.io.UncheckedIOException if polling failed: somebody closed the reactor's own descriptors
     */
    int runOnce(Duration timeout);

    /** {@link #runOnce(Duration)} that waits for as long as it takes. */
    int runOnce();

    /**
     * Says where exceptions of handlers, timers and tasks go.
     *
     * @param handler is called in the thread that runs the reactor; null for that thread's own
     */
    void setUncaughtExceptionHandler(Thread.UncaughtExceptionHandler handler);

    /** Whether {@link #close} was not called yet. */
    boolean isOpen();

    /**
     * Ends all registrations, drops timers and tasks that have not run, and gives the reactor's own descriptors back. Any
     * thread. If the reactor is running, nothing more is run: the turn ends after what it is in, and gives the descriptors
     * back then. Closing again does nothing.
     */
    @Override
    void close();

    /** What is told that a descriptor is ready. */
    @FunctionalInterface
    interface Handler {
        /**
         * Called in the thread that runs the reactor.
         *
         * @param ready all or part of the registration's interest. An error or hang-up counts as all of it: the next read
         *     or write reports it
         */
        void ready(Registration registration, Interest ready) throws Exception;
    }

    /** A descriptor in a reactor. */
    interface Registration {
        /** The number of the descriptor. */
        int fd();

        /** What it is watched for. */
        Interest interest();

        /**
         * Changes what it is watched for, from now on: also for what the running turn has yet to tell. A system call, unless
         * it is that already.
         *
         * @throws IOException if the descriptor is not open any more, with nothing changed
         * @throws IllegalStateException if the registration is not valid
         */
        void setInterest(Interest interest) throws IOException;

        /** Whether it was not cancelled, nor replaced by another of its number, nor the reactor closed. */
        boolean isValid();

        /** Ends it: its handler is not called again. Cancelling again does nothing. */
        void cancel();
    }

    /** What will run at its time. */
    interface Timer {
        /** When it is due, in {@link System#nanoTime}'s nanoseconds. */
        long deadlineNanos();

        /**
         * Keeps it from running, and lets go of its task.
         *
         * @return false if it has run, was cancelled before, or the reactor is closed
         */
        boolean cancel();
    }
}
