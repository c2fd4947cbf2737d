package dev.jvloop;

import java.lang.foreign.Arena;
import java.time.Duration;

/**
 * CPython in this Java process.
 *
 * <p>Every method may be called by any thread. A platform thread with a stack of 4 MiB or more runs Python itself. For
 * virtual threads, which wait unmounted, and for those with less stack, a platform thread of jvloop's runs it. One thread
 * at a time runs Python code (the GIL), others wait.
 *
 * <p>Values on their way in, and out again by {@link PyObject#as}:
 *
 * <ul>
 *   <li>{@code null} is None; booleans, numbers of any size, strings and {@code byte[]} are bool, int, float, str and
 *       bytes. An int comes as a {@code Long}, or as a {@code BigInteger} if it is too large.
 *   <li>{@code List}, {@code Object[]}, {@code Map} and {@code Set} are list, tuple, dict and set.
 *   <li>A record is a dict, and is made of a dict, a named tuple or a dataclass with its components' names; what these
 *       have besides is left out. An {@code Optional} is its value or None, and may be missing among those.
 *   <li>The constant of an enum is its name, and is made of that or of the member of a Python enum that has it.
 *   <li>{@code LocalDate}, {@code LocalTime}, {@code OffsetTime}, {@code LocalDateTime}, {@code OffsetDateTime},
 *       {@code ZonedDateTime}, {@code Instant}, {@code Duration} and {@code ZoneId} are date, time, datetime, timedelta
 *       and tzinfo, cut off at microseconds. Local ones are Python's naive ones, all others are aware.
 *   <li>A {@link java.util.concurrent.Flow.Publisher} is an asynchronous iterable.
 *   <li>{@code BigDecimal}, {@code Path} and {@code UUID} are Decimal, Path and UUID.
 *   <li>A {@code MemorySegment} and a direct {@code ByteBuffer} (from its position to its limit) are a memoryview of their
 *       memory, not a copy, if that stays as long as they are kept: memory of the global arena, of an automatic one, of
 *       one that {@link #arena()} gave, or of a file. Of an arena that can be closed it is an
 *       {@code IllegalArgumentException}. What is on Java's heap is bytes, a copy. The way back without a copy is
 *       {@link PyObject#buffer()}.
 *   <li>A {@link java.util.concurrent.CompletionStage} is a {@code jvloop.host.JavaStage}, which Python can await.
 *   <li>A {@link PyObject} is itself, and what an object of any other class comes as.
 * </ul>
 *
 * <p>What has no counterpart and was not passed through {@link #wrap}, is nested more than 200 deep or contains itself is an {@link IllegalArgumentException}.
 */
public interface Python extends AutoCloseable {
    /** Begins the choice of a Python. */
    static PythonConfiguration configure() {
        return new PythonConfiguration();
    }

    /** For example {@code 3.13.0}. */
    String version();

    /**
     * Runs statements in the module {@code __main__}.
     *
     * @throws PyException what they raise, SystemExit too
     */
    void exec(String source);

    /**
     * The value of an expression, in the module {@code __main__}.
     *
     * @throws PyException what it raises
     */
    PyObject eval(String expression);

    /** {@link #eval(String)} as a Java value: {@link PyObject#as}. */
    <T> T eval(String expression, Class<T> type);

    /**
     * A module, imported if it was not yet.
     *
     * @throws PyException what importing it raises: ModuleNotFoundError
     */
    PyObject importModule(String name);

    /**
     * {@code module.function(*arguments)}, with the module imported if it was not yet; the last argument may be
     * {@link Keywords}.
     */
    PyObject call(String module, String function, Object... arguments);

    /** {@link #call} with the result as a Java value, as {@link PyObject#as} makes it. */
    <T> T callAs(Class<T> type, String module, String function, Object... arguments);

    /** A loop for coroutines, which is started when this is first called; {@link #startLoop} starts others. */
    PythonLoop loop();

    /**
     * Starts an asyncio event loop on a thread of its own, "jvloop loop" and the name.
     *
     * @throws IllegalStateException if Python was closed
     */
    PythonLoop startLoop(String name);

    /** Begins the choice of what a supervised loop is started with; its threads are named after it. */
    LoopWorker.Builder worker(String name);

    /**
     * A bounded queue between Java threads and coroutines; {@link PythonChannel} says how it is used.
     *
     * @param type what elements from Python are converted to, as {@link PyObject#as} does it
     * @param capacity how many elements it holds, 1 or more
     */
    <T> PythonChannel<T> channel(Class<T> type, int capacity);

    /** A Java value as a Python object. */
    PyObject toPython(Object value);

    /**
     * An arena for memory that Java and Python both use without a copy, and that Java can free. Its segments may be
     * arguments, as memoryviews. Any thread may use them.
     *
     * <p>Closing the arena first releases those memoryviews, so that Python code that kept one gets a ValueError when it
     * uses it. It throws {@link IllegalStateException}, and stays open, while something that was made of one is left: a
     * slice, a numpy array, a C function that reads the memory. One that is not closed is never freed, as one of
     * {@link Arena#ofShared()}. It may be used and closed after Python has ended.
     */
    Arena arena();

    /**
     * Any Java object as a Python object, {@code jvloop.host.JavaObject}, that Python code can keep and hand back:
     * {@code as(Object.class)} gives the same object again, as do functions' arguments. Python keeps it from being
     * collected.
     */
    PyObject wrap(Object object);

    /** The Java functions that Python code can import. */
    Functions functions();

    /** {@link #close(Duration)} with ten seconds. */
    @Override
    void close();

    /**
     * Ends Python: its workers and loops end, as {@link PythonLoop#close(Duration)} says; its exit handlers run, its threads that
     * are no daemons are waited for, its files are flushed. Objects are unusable from then on. A process cannot start Python again. Closing again does nothing.
     *
     * <p>New calls are refused at once. Java threads that are in Python get {@code grace} to come back; then
     * KeyboardInterrupt is raised in them, which Python code sees at its next instruction but not while it waits in a C
     * function, and they get {@code grace} once more.
     *
     * @throws IllegalStateException if the calling thread is in Python; if threads are still in Python, which then goes
     *     on, refusing calls; or if buffered output could not be written
     */
    void close(Duration grace);
}
