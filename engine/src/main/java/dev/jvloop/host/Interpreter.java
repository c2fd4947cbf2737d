package dev.jvloop.host;

import dev.jvloop.Functions;
import dev.jvloop.LoopWorker;
import dev.jvloop.PyBuffer;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonChannel;
import dev.jvloop.PythonLoop;
import dev.jvloop.capi.Lifecycle;
import dev.jvloop.capi.Modules;
import dev.jvloop.capi.Version;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/** The interpreter of this process. */
public final class Interpreter implements Python {
    private static final System.Logger LOGGER = System.getLogger("dev.jvloop");

    /** Where this process is on its one way from no interpreter to one that has ended. */
    private enum Stage {
        NONE("there is none"),
        STARTING("another thread is starting Python"),
        RUNNING("Python runs in this process already, and a process can have only one"),
        FAILED("Python failed to start in this process, which cannot try again"),
        ENDED("Python has run in this process and was closed; a process can start it only once");

        final String text;

        Stage(String text) {
            this.text = text;
        }
    }

    private static final AtomicReference<Stage> PROCESS = new AtomicReference<>(Stage.NONE);

    private final Cleaner cleaner = Cleaner.create(
            Thread.ofPlatform().daemon().name("jvloop python cleaner").factory());
    private final PythonThreads threads = new PythonThreads(cleaner);
    /** Runs Python for the threads that {@link PythonThreads} says should not. */
    private final ExecutorService pool = Executors.newCachedThreadPool(runnable -> {
        Thread thread = new Thread(null, runnable, "jvloop python worker", MainThread.STACK_SIZE_BYTES, false);
        thread.setDaemon(true);
        return thread;
    });
    /** What was closed by a thread outside Python, until somebody comes in. */
    private final Queue<Loan> released = new ConcurrentLinkedQueue<>();

    private final InternedNames names = new InternedNames();
    private final Failures failures = new Failures(this);
    private final ToJava toJava = new ToJava(this);
    private final Casts casts = new Casts(toJava);
    private final OpenBuffers buffers = new OpenBuffers(this, cleaner, released);
    private final Loops loops;
    private final Functions functions = new RegisteredFunctions(this);
    private final Semaphore closing = new Semaphore(1);
    /** Null if Python was there first, and started the JVM or was attached to it. */
    private final MainThread mainOrNull;

    private final String version;
    private volatile boolean isEnded;
    /** Gives subscribers their signals, unless the program says another one. */
    private final Executor virtualThreads =
            task -> Thread.ofVirtual().name("jvloop subscriber").start(task);

    private Interpreter(MainThread mainOrNull, String version, boolean management) {
        this.mainOrNull = mainOrNull;
        loops = new Loops(this, management);
        this.version = version;
    }

    /** See {@link dev.jvloop.PythonConfiguration#start()}. */
    public static Interpreter start(Settings settings) {
        Stage before = PROCESS.compareAndExchange(Stage.NONE, Stage.STARTING);
        if (before != Stage.NONE) {
            throw new IllegalStateException(before.text);
        }
        Stage after = Stage.NONE;
        try {
            if (Lifecycle.isInitialized()) {
                throw new IllegalStateException(Stage.RUNNING.text);
            }
            InterpreterProbe probe = InterpreterProbe.of(settings.interpreter());
            after = Stage.FAILED;
            long begin = System.nanoTime();
            MainThread main = Startup.start(probe, settings);
            after = Stage.RUNNING;
            Interpreter interpreter = new Interpreter(main, probe.version(), settings.management());
            interpreter.run(() -> {
                Attachment.introduce(interpreter);
                if (settings.logsToJava()) {
                    LoggingCalls.route(new PythonLogging(interpreter));
                }
                return null;
            });
            LOGGER.log(
                    Level.DEBUG,
                    () -> "CPython " + probe.version() + " of " + probe.executable() + " started in "
                            + (System.nanoTime() - begin) / 1_000_000 + " ms");
            return interpreter;
        } finally {
            PROCESS.set(after);
        }
    }

    /** The interpreter of a Python program, which ends it. In Python. */
    static Interpreter ofPythonProgram() {
        PROCESS.set(Stage.RUNNING);
        return new Interpreter(null, Version.ofLibrary(), false);
    }

    // ---- the way in

    /** Runs something in Python. Any thread. */
    <T> T run(Supplier<T> action) {
        int before = threads.enter();
        if (before == PythonThreads.ELSEWHERE) {
            return handOver(action);
        }
        try {
            releaseClosed();
            return action.get();
        } catch (PythonError e) {
            throw failures.taken();
        } finally {
            threads.leave(before);
        }
    }

    private <T> T handOver(Supplier<T> action) {
        Thread caller = Thread.currentThread();
        CompletableFuture<T> result;
        try {
            result = CompletableFuture.supplyAsync(() -> threads.runFor(caller, () -> run(action)), pool);
        } catch (RejectedExecutionException e) {
            throw PythonThreads.closed();
        }
        try {
            return Completion.of(result);
        } catch (PyException e) {
            // The callers of this thread, not those of the pool's.
            e.setCallers(new Throwable().getStackTrace());
            throw e;
        }
    }

    /** Gives back what was closed, unless Python is ending. Any thread. */
    void releaseNow() {
        runUnlessEnding(() -> {});
    }

    /** Runs something in Python, or nothing if Python is ending or has ended. Any thread. */
    void runUnlessEnding(Runnable action) {
        int before = threads.enterOrRefused();
        if (before == PythonThreads.REFUSED) {
            return;
        }
        if (before == PythonThreads.ELSEWHERE) {
            try {
                Completion.of(CompletableFuture.runAsync(() -> runUnlessEnding(action), pool));
            } catch (RejectedExecutionException e) {
                // Python has ended.
            }
            return;
        }
        try {
            releaseClosed();
            action.run();
        } catch (PythonError e) {
            throw failures.taken();
        } finally {
            threads.leave(before);
        }
    }

    /** Runs something in Python on another thread, soon; never if Python is ending. Any thread. */
    void runLater(Runnable action) {
        try {
            pool.execute(() -> runUnlessEnding(action));
        } catch (RejectedExecutionException e) {
            // Python has ended.
            return;
        }
    }

    /** Gives back what was closed or collected meanwhile. In Python. */
    void releaseClosed() {
        Loan loan;
        while ((loan = released.poll()) != null) {
            loan.giveBack();
        }
    }

    /** A handle that takes over the reference. */
    ObjectHandle newHandle(long ownedObject) {
        return new ObjectHandle(this, new OwnedReference(ownedObject, released));
    }

    /** The memory of an object. In Python. */
    PyBuffer newBuffer(long exporter) {
        return buffers.newBuffer(exporter);
    }

    /** The object as a value of a class. In Python. */
    @SuppressWarnings("unchecked")
    <T> T cast(long object, Class<T> type) {
        return (T) casts.cast(object, type);
    }

    /** The object as the Java value that is natural for it. In Python. */
    Object natural(long object) {
        return toJava.natural(object);
    }

    Failures failures() {
        return failures;
    }

    Executor virtualThreads() {
        return virtualThreads;
    }

    /** {@link #cast} that releases the object. In Python. */
    <T> T castOwned(long ownedObject, Class<T> type) {
        return Owned.releasing(ownedObject, () -> cast(ownedObject, type));
    }

    InternedNames names() {
        return names;
    }

    PythonThreads threads() {
        return threads;
    }

    Cleaner cleaner() {
        return cleaner;
    }

    boolean isEnded() {
        return isEnded;
    }

    // ---- what programs call

    @Override
    public String version() {
        return version;
    }

    @Override
    public void exec(String source) {
        run(() -> {
            Calls.run(HostNames.EXECUTE, new Calls.Owned(Texts.newString(source)));
            return null;
        });
    }

    @Override
    public PyObject eval(String expression) {
        return run(() -> newHandle(newValue(expression)));
    }

    @Override
    public <T> T eval(String expression, Class<T> type) {
        return run(() -> castOwned(newValue(expression), type));
    }

    private static long newValue(String expression) {
        return Calls.newResult(HostNames.EVALUATE, new Calls.Owned(Texts.newString(expression)));
    }

    @Override
    public PyObject importModule(String name) {
        return run(() -> newHandle(newModule(name)));
    }

    private long newModule(String name) {
        return names.with(name, known -> {
            // Importing a module that is there costs ten times as much as finding it.
            long ownedOrNull = Modules.PyImport_GetModule(known);
            if (ownedOrNull == 0) {
                PyErr.checkOccurred();
                return PyErr.checked(Modules.PyImport_Import(known));
            }
            return ownedOrNull;
        });
    }

    @Override
    public PyObject call(String module, String function, Object... arguments) {
        return run(() -> newHandle(newResult(module, function, arguments)));
    }

    @Override
    public <T> T callAs(Class<T> type, String module, String function, Object... arguments) {
        return run(() -> castOwned(newResult(module, function, arguments), type));
    }

    /** A new reference to the result. In Python. */
    long newResult(String module, String function, Object[] arguments) {
        long ownedModule = newModule(module);
        long ownedFunction =
                Owned.releasing(ownedModule, () -> names.with(function, name -> Py.newAttribute(ownedModule, name)));
        return Owned.releasing(ownedFunction, () -> JavaArguments.newCallResult(ownedFunction, arguments));
    }

    @Override
    public PyObject toPython(Object value) {
        return run(() -> newHandle(ToPython.newObject(value)));
    }

    @Override
    public Arena arena() {
        return run(() -> ViewedArena.open(this));
    }

    @Override
    public PyObject wrap(Object object) {
        return run(() -> newHandle(JavaObjects.newObject(object)));
    }

    @Override
    public Functions functions() {
        return functions;
    }

    @Override
    public <T> PythonChannel<T> channel(Class<T> type, int capacity) {
        return new Channel<>(this, type, capacity);
    }

    /** Whether this is the thread of one of the loops that Java has started. */
    boolean isLoopThread() {
        return loops.isLoopThread();
    }

    // ---- loops

    @Override
    public PythonLoop loop() {
        return loops.common();
    }

    @Override
    public PythonLoop startLoop(String name) {
        return loops.start(name);
    }

    @Override
    public LoopWorker.Builder worker(String name) {
        return new WorkerBuilder(loops, name);
    }

    // ---- the end

    @Override
    public void close() {
        close(HostLoop.GRACE);
    }

    @Override
    public void close(Duration grace) {
        if (mainOrNull == null) {
            throw new IllegalStateException("this Python was not started by Java: it ends as its program does");
        }
        if (threads.isInside()) {
            throw new IllegalStateException("Python cannot be closed by a thread that is in Python");
        }
        closing.acquireUninterruptibly();
        try {
            if (!isEnded) {
                end(grace);
            }
        } finally {
            closing.release();
        }
    }

    /** The Python program is about to end, on this thread, which is Python's. Without the GIL. */
    void detach() {
        loops.close(HostLoop.GRACE);
        threads.refuse();
        if (!threads.awaitNobody(HostLoop.GRACE)) {
            LOGGER.log(Level.WARNING, "Python ends while threads are in it: " + threads.namesInside());
        }
        pool.shutdown();
        threads.remain();
        run(() -> {
            endHere();
            return null;
        });
        isEnded = true;
        PROCESS.set(Stage.ENDED);
    }

    /** The last of what is done in Python, by the thread that ends it. */
    private void endHere() {
        buffers.closeAll();
        ViewedArena.releaseAllViews();
        releaseClosed();
    }

    private void end(Duration grace) {
        loops.close(grace);
        threads.refuse();
        if (!threads.awaitNobody(grace)) {
            LOGGER.log(
                    Level.WARNING,
                    () -> "Python is being closed, and " + threads.namesInside()
                            + " did not come back from it in time: KeyboardInterrupt is raised there");
            mainOrNull.run(() -> threads.raiseInside(HostNames.KEYBOARD_INTERRUPT));
            if (!threads.awaitNobody(grace)) {
                throw new IllegalStateException(
                        "Python is not ended while threads are in it: " + threads.namesInside());
            }
        }
        pool.shutdown();
        mainOrNull.run(() -> {
            endHere();
            threads.remain();
        });
        boolean isFlushed = mainOrNull.end();
        isEnded = true;
        PROCESS.set(Stage.ENDED);
        LOGGER.log(Level.DEBUG, "CPython has ended");
        if (!isFlushed) {
            throw new IllegalStateException("Python has ended, but not all that was written to its files got there");
        }
    }
}
