package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.PyException;
import dev.jvloop.Python;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Python's log records in java.util.logging, which is where System.Logger's go if a program says nothing else. */
class HostedLoggingTest {
    /** Strong references: java.util.logging forgets the level of a logger that nobody holds. */
    private static final Logger ROOT = Logger.getLogger("");

    private static final Logger OWN = Logger.getLogger("dev.jvloop");

    private static final List<Handler> CONSOLE = List.of(ROOT.getHandlers());
    private static final Recorder RECORDER = new Recorder();
    private static Python python;

    private static final class Recorder extends Handler {
        private final Queue<LogRecord> records = new ConcurrentLinkedQueue<>();
        /** What jvloop itself says. */
        private final Queue<String> ownMessages = new ConcurrentLinkedQueue<>();

        private volatile Consumer<LogRecord> also = _ -> {};

        @Override
        public void publish(LogRecord record) {
            if (record.getLoggerName().equals("dev.jvloop")) {
                ownMessages.add(record.getMessage());
                return;
            }
            records.add(record);
            also.accept(record);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    @BeforeAll
    static void start() {
        CONSOLE.forEach(ROOT::removeHandler);
        ROOT.addHandler(RECORDER);
        OWN.setLevel(Level.FINE);
        python = Pythons.startedOrAbort();
        python.exec("import logging, sys, threading");
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close();
            String messages = String.join("\n", RECORDER.ownMessages);
            assertTrue(messages.matches("CPython \\S+ of /.* started in \\d+ ms\\nCPython has ended"), messages);
        }
        ROOT.removeHandler(RECORDER);
        CONSOLE.forEach(ROOT::addHandler);
    }

    @BeforeEach
    @AfterEach
    void forget() {
        RECORDER.also = _ -> {};
        RECORDER.records.clear();
    }

    private static List<String> logged() {
        return RECORDER.records.stream()
                .map(record -> record.getLoggerName() + " " + record.getLevel() + " " + record.getMessage())
                .toList();
    }

    private static LogRecord theRecord() {
        assertEquals(1, RECORDER.records.size(), () -> logged().toString());
        return RECORDER.records.element();
    }

    private static void awaitTrue(BooleanSupplier condition) {
        long limit = System.nanoTime() + 30_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < limit, () -> logged().toString());
        }
    }

    // ---- what a record becomes

    @Test
    void recordsKeepTheirNamesAndLevels() {
        Logger all = Logger.getLogger("app.all");
        all.setLevel(Level.ALL);
        python.exec("""
            log = logging.getLogger("app.all.part")
            for number in (1, 9, 10, 15, 20, 25, 30, 39, 40, 50, 1000):
                log.log(number, "level %d of %s", number, log.name)
            """);
        assertEquals(
                List.of(
                        "FINER 1",
                        "FINER 9",
                        "FINE 10",
                        "FINE 15",
                        "INFO 20",
                        "INFO 25",
                        "WARNING 30",
                        "WARNING 39",
                        "SEVERE 40",
                        "SEVERE 50",
                        "SEVERE 1000"),
                RECORDER.records.stream()
                        .map(record -> {
                            assertEquals("app.all.part", record.getLoggerName());
                            String number = record.getMessage().replaceAll("level (\\d+) of app.all.part", "$1");
                            return record.getLevel() + " " + number;
                        })
                        .toList());
        all.setLevel(null);
    }

    @Test
    void theFunctionIsInTheRecord() {
        python.exec("def place():\n    logging.getLogger('app.orders').warning('{0} is no {format}')\nplace()");
        LogRecord record = theRecord();
        assertEquals("app.orders", record.getSourceClassName());
        assertEquals("place", record.getSourceMethodName());
        assertEquals("{0} is no {format}", new java.util.logging.SimpleFormatter().formatMessage(record));
    }

    @Test
    void theRootLoggerIsCalledRoot() {
        python.exec("logging.info('from %s', 'nowhere')\nlogging.debug('not shown')");
        assertEquals(List.of("root INFO from nowhere"), logged());
    }

    @Test
    void anExceptionComesWithItsTracebackAndKeepsNothingAlive() {
        python.exec("""
            import weakref
            class Resource: pass
            def read():
                resource = Resource()
                global alive
                alive = weakref.ref(resource)
                {}["missing"]
            def load():
                try:
                    read()
                except KeyError as e:
                    raise ValueError("broken") from e
            try:
                load()
            except ValueError:
                logging.getLogger("app").exception("cannot load")
            """);
        LogRecord record = theRecord();
        assertEquals("cannot load", record.getMessage());
        PyException thrown = (PyException) record.getThrown();
        assertEquals("ValueError", thrown.pythonType());
        assertEquals(
                List.of("__main__.load(<java>:12)", "__main__.<module>(<java>:14)"),
                Arrays.stream(thrown.getStackTrace())
                        .map(StackTraceElement::toString)
                        .toList());
        assertEquals("KeyError", ((PyException) thrown.getCause()).pythonType());
        boolean isAlive = python.eval("alive() is not None", boolean.class);
        assertFalse(isAlive);
        assertThrows(IllegalStateException.class, () -> thrown.exceptionOrNull().str());
    }

    @Test
    void aStackIsPartOfTheMessage() {
        python.exec("logging.getLogger('app').error('here', stack_info=True)");
        assertTrue(
                theRecord().getMessage().startsWith("here\nStack (most recent call last):\n"),
                () -> logged().toString());
    }

    @Test
    void asynciosOwnLoggerIsThereToo() {
        python.exec("logging.getLogger('asyncio').error('Task exception was never retrieved')");
        assertEquals(List.of("asyncio SEVERE Task exception was never retrieved"), logged());
    }

    // ---- levels

    @Test
    void javasLevelDecidesBeforeARecordIsMade() {
        python.exec("""
            made = []
            def factory(*args, **kwargs):
                made.append(args[0])
                return logging.LogRecord(*args, **kwargs)
            former = logging.getLogRecordFactory()
            logging.setLogRecordFactory(factory)
            quiet = logging.getLogger("app.quiet")
            """);
        try {
            python.exec("quiet.debug('unheard')");
            assertEquals(List.of(), python.eval("made", List.class));
            Logger java = Logger.getLogger("app.quiet");
            java.setLevel(Level.FINE);
            // It is asked again soon.
            awaitTrue(() -> {
                python.exec("quiet.debug('heard')");
                return !RECORDER.records.isEmpty();
            });
            assertEquals("app.quiet FINE heard", logged().getFirst());
            assertEquals(10, python.eval("quiet.getEffectiveLevel()", int.class));
            java.setLevel(Level.OFF);
            RECORDER.records.clear();
            python.exec("quiet.critical('unheard')");
            assertEquals(List.of(), logged());
            // Where Java logs nothing, Python's handlers still get what they would anywhere.
            awaitTrue(() -> python.eval("quiet.getEffectiveLevel()", int.class) == 30);
            java.setLevel(null);
        } finally {
            python.exec("logging.setLogRecordFactory(former)");
        }
    }

    @Test
    void levelsThatPythonCodeSetsHoldAndJavaStillFilters() {
        python.exec("""
            import io
            stream = io.StringIO()
            audit = logging.getLogger("app.audit")
            audit.addHandler(logging.StreamHandler(stream))
            audit.setLevel(logging.DEBUG)
            audit.getChild("part").debug("for the file")
            audit.setLevel(logging.ERROR)
            audit.warning("for nobody")
            audit.error("for both")
            logging.disable(logging.CRITICAL)
            audit.critical("for nobody")
            logging.disable(logging.NOTSET)
            """);
        assertEquals("for the file\nfor both\n", python.eval("stream.getvalue()", String.class));
        assertEquals(List.of("app.audit SEVERE for both"), logged());
    }

    // ---- threads, and Java that calls Python

    @Test
    void threadsHaveTheirPythonNames() throws Exception {
        RECORDER.also = record -> record.setMessage(
                record.getMessage() + " on " + Thread.currentThread().getName());
        python.exec("""
            thread = threading.Thread(target=logging.getLogger("app").info, args=("python's",), name="fetcher")
            thread.start()
            thread.join()
            """);
        Thread.ofPlatform()
                .name("java's own")
                .start(() -> python.exec("logging.getLogger('app').info('java')"))
                .join();
        assertEquals(List.of("app INFO python's on fetcher", "app INFO java on java's own"), logged());
    }

    @Test
    void aVirtualThreadLogs() throws Exception {
        Thread.ofVirtual()
                .start(() -> python.exec("logging.getLogger('app').info('virtual')"))
                .join();
        assertEquals(List.of("app INFO virtual"), logged());
    }

    @Test
    void aHandlerThatLogsInPythonAgainDoesNotComeBack() {
        python.exec("""
            import io
            former, sys.stderr = sys.stderr, io.StringIO()
            """);
        RECORDER.also = record -> {
            assertTrue(RECORDER.records.size() < 3, "it came back");
            python.exec("logging.getLogger('app.inner').warning('from within')");
            python.exec("logging.getLogger('app.inner').info('less')");
        };
        python.exec("logging.getLogger('app').info('outer')");
        assertEquals(List.of("app INFO outer"), logged());
        python.exec("text, sys.stderr = sys.stderr.getvalue(), former");
        assertEquals("from within\n", python.eval("text", String.class));
    }

    @Test
    void aHandlerThatHoldsALockAndCallsPythonMeetsAThreadThatLogs() throws Exception {
        Semaphore lock = new Semaphore(1);
        CountDownLatch logging = new CountDownLatch(1);
        RECORDER.also = _ -> {
            logging.countDown();
            lock.acquireUninterruptibly();
            lock.release();
        };
        lock.acquire();
        CompletableFuture<Void> python1 =
                CompletableFuture.runAsync(() -> python.exec("logging.getLogger('app').info('waits')"));
        logging.await();
        // With the lock, as that handler would be: the other thread, which is in Python and wants it, has to let us in.
        assertEquals(2, python.eval("1 + 1", int.class));
        lock.release();
        python1.join();
    }

    @Test
    void aHandlerThatFailsIsReportedAndTheProgramGoesOn() {
        python.exec("import io\nformer, sys.stderr = sys.stderr, io.StringIO()");
        RECORDER.also = _ -> {
            throw new IllegalStateException("disk full");
        };
        python.exec("logging.getLogger('app').info('lost')\nlogging.getLogger('app').info(1, 2)");
        python.exec("text, sys.stderr = sys.stderr.getvalue(), former");
        String text = python.eval("text", String.class);
        assertTrue(text.contains("--- Logging error ---") && text.contains("disk full"), text);
        assertTrue(text.contains("not all arguments converted"), text);
    }

    // ---- who decides

    @Test
    void aForkedChildLogsToItsStandardError() {
        python.exec("""
            import os, warnings
            reading, writing = os.pipe()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # 3.12 and newer know of threads, and warn.
                child = os.fork()
            if child == 0:
                os.dup2(writing, 2)
                logging.getLogger("app").warning("from the child")
                logging.getLogger("app").info("less")
                os._exit(0)
            os.close(writing)
            os.waitpid(child, 0)
            with open(reading) as pipe:
                text = pipe.read()
            """);
        String text = python.eval("text", String.class);
        assertTrue(text.contains("from the child\n"), text);
        assertFalse(text.contains("less"), text);
        assertEquals(List.of(), logged());
    }

    @Test
    void pythonCodeThatSetsItsOwnHandlersTakesOver() {
        python.exec("""
            import io
            logging.basicConfig(stream=io.StringIO())  # There is a handler already, so this is nothing.
            logging.getLogger("app.over").warning("java's")
            ours = logging.root.handlers[0]
            stream = io.StringIO()
            logging.basicConfig(stream=stream, force=True, format="%(message)s")
            """);
        try {
            awaitTrue(() -> python.eval("logging.getLogger('app.over').getEffectiveLevel() == 30", boolean.class)
                    && !python.eval("logging.getLogger('app.over').isEnabledFor(20)", boolean.class));
            python.exec("logging.getLogger('app.over').warning('python')\nlogging.getLogger('app.over').info('less')");
            assertEquals("python\n", python.eval("stream.getvalue()", String.class));
            assertEquals(List.of("app.over WARNING java's"), logged());
        } finally {
            python.exec("logging.root.handlers[:] = [ours]");
        }
    }
}
