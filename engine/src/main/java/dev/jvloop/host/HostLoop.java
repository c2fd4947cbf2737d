package dev.jvloop.host;

import dev.jvloop.AsgiServer;
import dev.jvloop.Keywords;
import dev.jvloop.ListeningSocket;
import dev.jvloop.LoopState;
import dev.jvloop.PyObject;
import dev.jvloop.PythonLoop;
import dev.jvloop.PythonPublisher;
import dev.jvloop.capi.Objects;
import dev.jvloop.loop.EngineObject;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.Inbox;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** A loop and its thread. */
final class HostLoop implements PythonLoop {
    private static final System.Logger LOGGER = System.getLogger("dev.jvloop");
    static final Duration GRACE = Duration.ofSeconds(10);
    /** What a loop may take to close itself, after its tasks have ended. */
    private static final Duration MARGIN = Duration.ofSeconds(1);

    private final Interpreter interpreter;
    private final String name;
    private final Thread thread;
    private final CompletableFuture<Void> started = new CompletableFuture<>();
    /** What ended the loop, or null if it was asked to end. */
    private final CompletableFuture<Throwable> ended = new CompletableFuture<>();

    private final Consumer<HostLoop> whenEnded;
    private ObjectHandle loopRun;
    private ObjectHandle pythonLoop;
    private EventLoop engine;
    private Inbox inbox;
    /** What runs, so that nothing is left waiting when the loop ends. The loop's thread only. */
    private final Submissions running = new Submissions();

    private final long startNanos = System.nanoTime();
    private volatile boolean isClosing;

    private HostLoop(Interpreter interpreter, String name, Consumer<HostLoop> whenEnded) {
        this.interpreter = interpreter;
        this.name = name;
        this.whenEnded = whenEnded;
        thread = new Thread(null, this::live, "jvloop loop " + name, MainThread.STACK_SIZE_BYTES, false);
        thread.setDaemon(true);
    }

    /**
     * Starts a loop and returns when it takes coroutines.
     *
     * @param whenEnded told, by the loop's thread, when the loop has ended
     */
    static HostLoop start(Interpreter interpreter, String name, Consumer<HostLoop> whenEnded) {
        HostLoop loop = new HostLoop(interpreter, name, whenEnded);
        loop.thread.start();
        Completion.of(loop.started);
        LOGGER.log(System.Logger.Level.DEBUG, () -> "the loop \"" + name + "\" has started");
        return loop;
    }

    // ---- the loop's thread

    private void live() {
        Throwable exceptionOrNull = null;
        try {
            interpreter.run(() -> {
                open();
                return Owned.ending(running::rejectAll, () -> {
                    Refs.decref(Calls.newMethodResult(loopRun.borrowed(), HostNames.RUN));
                    return null;
                });
            });
            LOGGER.log(System.Logger.Level.DEBUG, () -> "the loop \"" + name + "\" has ended");
        } catch (Throwable t) {
            exceptionOrNull = t;
            if (!started.completeExceptionally(t)) {
                // Who closes a loop learns from its futures what became of them.
                LOGGER.log(
                        isClosing ? System.Logger.Level.DEBUG : System.Logger.Level.WARNING,
                        "the loop \"" + name + "\" has ended",
                        t);
            }
        } finally {
            isClosing = true;
            whenEnded.accept(this);
            ended.complete(exceptionOrNull);
        }
    }

    private void open() {
        loopRun = interpreter.newHandle(Calls.newResult(
                HostNames.LOOP_RUN, Calls.string(thread.getName()), new Calls.Owned(Py.newFloat(seconds(GRACE)))));
        pythonLoop = interpreter.newHandle(Py.newAttribute(loopRun.borrowed(), HostNames.LOOP));
        engine = EngineObject.of(pythonLoop.borrowed());
        inbox = engine.inbox();
        started.complete(null);
    }

    void add(Submission<?> submission) {
        running.add(submission);
    }

    void remove(Submission<?> submission) {
        running.remove(submission);
    }

    /** A borrowed reference. The loop's thread. */
    long pythonLoop() {
        return pythonLoop.borrowed();
    }

    /** A borrowed reference to the LoopRun. The loop's thread. */
    long loopRun() {
        return loopRun.borrowed();
    }

    Interpreter interpreter() {
        return interpreter;
    }

    boolean isLoopThread() {
        return Thread.currentThread() == thread;
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    // ---- any thread

    @Override
    public String name() {
        return name;
    }

    /** Leaves an entry for the loop's thread; one that comes too late is rejected by the caller's. */
    void post(Inbox.Entry entry) {
        if (!inbox.put(entry)) {
            entry.reject();
        }
    }

    @Override
    public CompletableFuture<PyObject> submit(String module, String function, Object... arguments) {
        return submit(PyObject.class, module, function, arguments);
    }

    @Override
    public <T> CompletableFuture<T> submit(Class<T> type, String module, String function, Object... arguments) {
        return submit(type, () -> interpreter.newResult(module, function, arguments));
    }

    @Override
    public CompletableFuture<PyObject> submit(PyObject awaitableOrCallable, Object... arguments) {
        return submit(PyObject.class, awaitableOrCallable, arguments);
    }

    @Override
    public <T> CompletableFuture<T> submit(Class<T> type, PyObject awaitableOrCallable, Object... arguments) {
        return submit(type, () -> newValueOrResult(awaitableOrCallable, arguments, () -> {}));
    }

    /** A new reference to what a callable object returns, or to another object after {@code takeObject}. In Python. */
    private static long newValueOrResult(PyObject object, Object[] arguments, Runnable takeObject) {
        long ownedObject = ToPython.newObject(object);
        return Owned.releasing(ownedObject, () -> {
            if ((int) Objects.PyCallable_Check(ownedObject) != 0) {
                return JavaArguments.newCallResult(ownedObject, arguments);
            }
            takeObject.run();
            return Refs.incref(ownedObject);
        });
    }

    /** Runs the awaitable that is made on the loop's thread: see {@link Submission}. */
    <T> CompletableFuture<T> submit(Class<T> type, LongSupplier newAwaitable) {
        Submission<T> submission = new Submission<>(this, newAwaitable, type);
        begin(submission);
        return submission;
    }

    void begin(Submission<?> submission) {
        if (isClosing) {
            submission.reject();
        } else {
            post(submission);
        }
    }

    @Override
    public <T> PythonPublisher<T> publish(Class<T> type, String module, String function, Object... arguments) {
        return new AsyncIterablePublisher<>(this, type, () -> interpreter.newResult(module, function, arguments));
    }

    @Override
    public <T> PythonPublisher<T> publish(Class<T> type, PyObject asyncIterableOrCallable, Object... arguments) {
        AtomicBoolean isTaken = new AtomicBoolean();
        Runnable takeOnce = () -> {
            if (isTaken.getAndSet(true)) {
                throw new IllegalStateException("an iterable object has one subscriber: publish a function for more");
            }
        };
        return new AsyncIterablePublisher<>(
                this, type, () -> newValueOrResult(asyncIterableOrCallable, arguments, takeOnce));
    }

    @Override
    public CompletableFuture<AsgiServer> serveAsgi(ListeningSocket socket, String application, Keywords options) {
        return Serving.serveAsgi(this, socket, application, options);
    }

    @Override
    public CompletableFuture<PyObject> adopt(int fd, String protocolFactory) {
        return Serving.adopt(this, fd, protocolFactory);
    }

    @Override
    public PyObject asPyObject() {
        return interpreter.run(() -> interpreter.newHandle(pythonLoop.newReference()));
    }

    @Override
    public boolean isRunning() {
        return !isClosing;
    }

    @Override
    public LoopState loopState() {
        long cpuTimeNanos =
                ended.isDone() ? 0 : ManagementFactory.getThreadMXBean().getThreadCpuTime(thread.threadId());
        return new LoopState(
                name,
                isRunning(),
                inbox.size(),
                running.count(),
                engine.readyCount(),
                engine.timerCount(),
                engine.poller().watchedCount(),
                engine.iterationCount(),
                Duration.ofNanos(System.nanoTime() - startNanos),
                // -1 for a thread that has ended just now.
                Duration.ofNanos(Math.max(0, cpuTimeNanos)));
    }

    @Override
    public int countTasks() {
        return interpreter.run(() -> {
            long ownedCount = Calls.newResult(HostNames.COUNT_TASKS, pythonLoop.borrowed());
            return Owned.releasing(ownedCount, () -> ToJava.integer(ownedCount).intValue());
        });
    }

    @Override
    public boolean interrupt() {
        return interpreter.run(() -> raise(HostNames.KEYBOARD_INTERRUPT));
    }

    @Override
    public boolean interrupt(PyObject exceptionClass) {
        return interpreter.run(() -> JavaArguments.with(exceptionClass, object -> {
            Calls.run(HostNames.CHECK_EXCEPTION_CLASS, object);
            return raise(object);
        }));
    }

    /** With the GIL held the loop's thread cannot begin to wait, so that what is raised hits what runs now. */
    private boolean raise(long exceptionClass) {
        return engine.isInCallback() && interpreter.threads().raiseIn(thread, exceptionClass);
    }

    // ---- the end

    /** Completes, by the loop's thread, when that has left Python; with what ended it, or null if it was asked to. */
    CompletableFuture<Throwable> ended() {
        return ended;
    }

    @Override
    public void close() {
        close(GRACE);
    }

    @Override
    public void close(Duration grace) {
        if (isLoopThread()) {
            throw new IllegalStateException("the loop \"" + name + "\" cannot be closed by its own thread");
        }
        beginClose(grace);
        awaitEnd(grace);
    }

    /** Takes nothing more, and has the loop stop. */
    void beginClose(Duration grace) {
        isClosing = true;
        post(new Stop(grace));
    }

    private final class Stop implements Inbox.Entry {
        private final Duration grace;

        Stop(Duration grace) {
            this.grace = grace;
        }

        @Override
        public void run() {
            Refs.decref(Calls.newMethodResult(
                    loopRun.borrowed(), HostNames.STOP, new Calls.Owned(Py.newFloat(seconds(grace)))));
        }

        @Override
        public void reject() {
            // It has ended.
        }
    }

    /** Waits for the end of the thread, and interrupts the Python code that keeps it from ending. */
    void awaitEnd(Duration grace) {
        if (Completion.comesWithin(ended, grace.plus(MARGIN))) {
            return;
        }
        interpreter.run(() -> {
            setGrace(grace);
            interpreter.threads().raiseIn(thread, HostNames.KEYBOARD_INTERRUPT);
            return null;
        });
        if (!Completion.comesWithin(ended, grace.plus(MARGIN))) {
            throw new IllegalStateException(
                    "the loop \"" + name + "\" does not end: its thread is in code that cannot be interrupted");
        }
    }

    private void setGrace(Duration grace) {
        JavaArguments.with(
                seconds(grace),
                ownedSeconds -> ToPython.checked(
                        (int) Objects.PyObject_SetAttr(loopRun.borrowed(), HostNames.GRACE_S, ownedSeconds)));
    }
}
