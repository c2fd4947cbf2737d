package dev.jvloop.host;

import dev.jvloop.AsgiServer;
import dev.jvloop.ExitReason;
import dev.jvloop.Keywords;
import dev.jvloop.ListeningSocket;
import dev.jvloop.LoopState;
import dev.jvloop.LoopWorker;
import dev.jvloop.PyObject;
import dev.jvloop.PythonPublisher;
import dev.jvloop.RestartPolicy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;

/**
 * A supervised loop. A virtual thread is the supervisor: it starts a loop, waits for its end, or for being told to stop,
 * and begins again; so what happens to a worker happens in one order. Others read what it last said.
 */
final class Worker implements LoopWorker {
    private static final System.Logger LOGGER = System.getLogger("dev.jvloop");

    private final Loops loops;
    private final String name;
    private final WorkerBuilder.Main mainOrNull;
    private final Restarts restarts;
    private final BiConsumer<LoopWorker, State> listener;
    private final Thread supervisor;
    private final CompletableFuture<Void> started = new CompletableFuture<>();
    /** The grace that it is stopped with. */
    private final CompletableFuture<Duration> stopping = new CompletableFuture<>();
    /** Says to those who wait for the end that it does not come. */
    private final CompletableFuture<Void> stuck = new CompletableFuture<>();

    private final CompletableFuture<ExitReason> end = new CompletableFuture<>();
    private volatile State state = State.STARTING;
    private volatile ExitReason exitReasonOrNull;
    private volatile int restartCount;
    /** The loop of this run, or of the last one. */
    private volatile HostLoop loopOrNull;

    Worker(
            Loops loops,
            String name,
            WorkerBuilder.Main mainOrNull,
            RestartPolicy policy,
            BiConsumer<LoopWorker, State> listener) {
        this.loops = loops;
        this.name = name;
        this.mainOrNull = mainOrNull;
        this.listener = listener;
        restarts = new Restarts(policy);
        supervisor = Thread.ofVirtual().name("jvloop worker " + name).unstarted(this::supervise);
    }

    /** Returns when the first loop runs, or throws why it does not. */
    void start() {
        supervisor.start();
        Completion.of(started);
    }

    // ---- the supervisor

    private void supervise() {
        try {
            change(State.STARTING);
            int count = 0;
            while (true) {
                exitReasonOrNull = run();
                Duration delayOrNull = stopping.isDone() || !started.isDone()
                        ? null
                        : restarts.nextDelayOrNull(exitReasonOrNull, System.nanoTime());
                report(delayOrNull);
                if (delayOrNull == null) {
                    break;
                }
                change(State.RESTARTING);
                if (Completion.comesWithin(stopping, delayOrNull)) {
                    break;
                }
                restartCount = ++count;
                change(State.STARTING);
            }
        } catch (Throwable t) {
            exitReasonOrNull = new ExitReason.Failed(t);
        }
        change(exitReasonOrNull.isFailure() && !stopping.isDone() ? State.FAILED : State.ENDED);
        loops.remove(this);
        end.complete(exitReasonOrNull);
        if (exitReasonOrNull instanceof ExitReason.Failed failed) {
            // If it has not come so far as to start.
            started.completeExceptionally(failed.exception());
        }
    }

    /** The life of one loop. */
    private ExitReason run() {
        HostLoop loop;
        try {
            loop = loops.start(name);
        } catch (RuntimeException e) {
            return new ExitReason.Failed(e);
        }
        loopOrNull = loop;
        change(State.RUNNING);
        started.complete(null);
        CompletableFuture<ExitReason> main = mainOrNull == null ? new CompletableFuture<>() : mainEnd(loop);
        // The exit reason of the loop's own end, or of Java's stop, is made below.
        CompletableFuture.anyOf(main, loop.ended(), stopping).join();
        change(State.STOPPING);
        boolean isAskedTo = stopping.isDone() && !main.isDone();
        close(loop);
        Throwable exceptionOrNull = loop.ended().join();
        if (exceptionOrNull != null && !isAskedTo) {
            return Exits.of(loop.interpreter(), exceptionOrNull);
        }
        return isAskedTo ? new ExitReason.Stopped() : main.getNow(new ExitReason.Finished());
    }

    private CompletableFuture<ExitReason> mainEnd(HostLoop loop) {
        return loop.submit(mainOrNull.module(), mainOrNull.function(), mainOrNull.arguments())
                .handle((result, exceptionOrNull) -> {
                    if (exceptionOrNull != null) {
                        return Exits.of(loop.interpreter(), exceptionOrNull);
                    }
                    result.close();
                    return new ExitReason.Finished();
                });
    }

    private void close(HostLoop loop) {
        try {
            loop.close(stopping.getNow(HostLoop.GRACE));
        } catch (IllegalStateException e) {
            // It is known to those who asked; this goes on waiting, since the next loop must not meet this one.
            if (!stuck.completeExceptionally(e)) {
                LOGGER.log(System.Logger.Level.WARNING, e.getMessage());
            }
        }
    }

    private void change(State next) {
        state = next;
        try {
            listener.accept(this, next);
        } catch (RuntimeException | Error e) {
            LOGGER.log(System.Logger.Level.WARNING, "a listener of the worker \"" + name + "\" failed", e);
        }
    }

    private void report(Duration delayOrNull) {
        if (!exitReasonOrNull.isFailure()) {
            return;
        }
        String text = "the worker \"" + name + "\" has failed; "
                + (delayOrNull == null ? "it is not started again" : "it is started again in " + delayOrNull);
        Throwable exceptionOrNull = exitReasonOrNull instanceof ExitReason.Failed(Throwable e) ? e : null;
        LOGGER.log(System.Logger.Level.WARNING, text, exceptionOrNull);
    }

    // ---- any thread

    @Override
    public String name() {
        return name;
    }

    @Override
    public State state() {
        return state;
    }

    @Override
    public ExitReason exitReasonOrNull() {
        return exitReasonOrNull;
    }

    @Override
    public int restartCount() {
        return restartCount;
    }

    @Override
    public boolean isRunning() {
        HostLoop loop = loopOrNull;
        return state == State.RUNNING && loop.isRunning();
    }

    @Override
    public CompletableFuture<PyObject> submit(String module, String function, Object... arguments) {
        return submit(PyObject.class, module, function, arguments);
    }

    @Override
    public <T> CompletableFuture<T> submit(Class<T> type, String module, String function, Object... arguments) {
        return isRunning() ? loopOrNull.submit(type, module, function, arguments) : refused();
    }

    @Override
    public CompletableFuture<PyObject> submit(PyObject awaitableOrCallable, Object... arguments) {
        return submit(PyObject.class, awaitableOrCallable, arguments);
    }

    @Override
    public <T> CompletableFuture<T> submit(Class<T> type, PyObject awaitableOrCallable, Object... arguments) {
        return isRunning() ? loopOrNull.submit(type, awaitableOrCallable, arguments) : refused();
    }

    @Override
    public <T> PythonPublisher<T> publish(Class<T> type, String module, String function, Object... arguments) {
        return loop().publish(type, module, function, arguments);
    }

    @Override
    public <T> PythonPublisher<T> publish(Class<T> type, PyObject asyncIterableOrCallable, Object... arguments) {
        return loop().publish(type, asyncIterableOrCallable, arguments);
    }

    @Override
    public CompletableFuture<AsgiServer> serveAsgi(ListeningSocket socket, String application, Keywords options) {
        return isRunning() ? loopOrNull.serveAsgi(socket, application, options) : refused();
    }

    @Override
    public CompletableFuture<PyObject> adopt(int fd, String protocolFactory) {
        // Of a loop that has ended too: it closes the descriptor.
        return loop().adopt(fd, protocolFactory);
    }

    private <T> CompletableFuture<T> refused() {
        return CompletableFuture.failedFuture(new RejectedExecutionException(noLoop()));
    }

    private String noLoop() {
        return "the worker \"" + name + "\" has no loop now: it is " + state;
    }

    @Override
    public PyObject asPyObject() {
        return loop().asPyObject();
    }

    @Override
    public LoopState loopState() {
        return loop().loopState();
    }

    @Override
    public int countTasks() {
        return loop().countTasks();
    }

    /** That of this run, or of the last one. */
    private HostLoop loop() {
        HostLoop loop = loopOrNull;
        if (loop == null) {
            throw new IllegalStateException(noLoop());
        }
        return loop;
    }

    @Override
    public boolean interrupt() {
        HostLoop loop = loopOrNull;
        return loop != null && loop.interrupt();
    }

    @Override
    public boolean interrupt(PyObject exceptionClass) {
        HostLoop loop = loopOrNull;
        return loop != null && loop.interrupt(exceptionClass);
    }

    // ---- the end

    @Override
    public CompletableFuture<ExitReason> end() {
        return end.copy();
    }

    @Override
    public void stop(Duration grace) {
        stopping.complete(grace);
    }

    @Override
    public void close() {
        close(HostLoop.GRACE);
    }

    @Override
    public void close(Duration grace) {
        HostLoop loop = loopOrNull;
        if (Thread.currentThread() == supervisor || (loop != null && loop.isLoopThread())) {
            throw new IllegalStateException(
                    "the worker \"" + name + "\" cannot be closed by its own thread, nor by its listener");
        }
        stop(grace);
        if (!end.isDone()) {
            Completion.of(CompletableFuture.anyOf(end, stuck));
        }
    }
}
