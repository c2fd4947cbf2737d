package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.ExitReason;
import dev.jvloop.LoopWorker;
import dev.jvloop.LoopWorker.State;
import dev.jvloop.LoopWorkers;
import dev.jvloop.PyException;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import dev.jvloop.RestartPolicy;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Supervised loops. */
class HostedWorkerTest {
    private static final RestartPolicy AT_ONCE =
            RestartPolicy.onFailure().atMost(2, Duration.ofMinutes(10)).backOff(Duration.ZERO, Duration.ZERO);
    private static Python python;

    @BeforeAll
    static void start() {
        python = Pythons.startedOrAbort();
        python.exec("""
            import asyncio, sys, threading

            runs = []

            async def forever(began=None):
                if began is not None:
                    began.set()
                await asyncio.get_running_loop().create_future()

            async def run(exception=None, failures=1):
                '''Raises the exception in its first runs; then goes on for ever.'''
                runs.append(threading.current_thread().name)
                await asyncio.sleep(0)
                if len(runs) <= failures and exception is not None:
                    raise exception
                await forever()

            async def back(value):
                return value

            def spin(began):
                began.set()
                while True:
                    pass

            async def spin_in_task(began):
                spin(began)

            async def wait_in_c(began, lock):
                began.set()
                lock.acquire()
            """);
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close(Duration.ofSeconds(20));
        }
    }

    @BeforeEach
    void forgetRuns() {
        python.exec("runs.clear()");
    }

    private static <T> T within(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    private static Throwable causeOf(CompletableFuture<?> future) {
        return assertThrows(ExecutionException.class, () -> within(future)).getCause();
    }

    private static PyObject event() {
        return python.eval("threading.Event()");
    }

    private static void await(PyObject event) {
        assertTrue(event.callMethod("wait", 60).isTrue());
    }

    private static int runs() {
        return python.eval("len(runs)", int.class);
    }

    /** Takes the states that a worker goes through until this one. */
    private static void await(BlockingQueue<State> states, State wanted) throws InterruptedException {
        State next;
        do {
            next = states.poll(60, TimeUnit.SECONDS);
            assertTrue(next != null, () -> "never " + wanted);
        } while (next != wanted);
    }

    @Test
    void aWorkerTakesSubmissionsUntilItIsStopped() throws Exception {
        LoopWorker worker = python.worker("plain").start();
        assertEquals(State.RUNNING, worker.state());
        assertNull(worker.exitReasonOrNull());
        assertEquals("plain", worker.name());
        assertEquals(5, within(worker.submit(int.class, "__main__", "back", 5)));
        assertEquals(
                "jvloop loop plain",
                within(worker.submit(String.class, python.eval("lambda: threading.current_thread().name"))));
        assertEquals("jvloop.Loop", worker.asPyObject().typeName());
        worker.close();
        assertEquals(State.ENDED, worker.state());
        assertInstanceOf(ExitReason.Stopped.class, within(worker.end()));
        assertInstanceOf(RejectedExecutionException.class, causeOf(worker.submit("__main__", "back", 5)));
        worker.close();
    }

    @Test
    void theEndOfTheMainCoroutineEndsTheWorker() throws Exception {
        LoopWorker worker = python.worker("main").main("__main__:back", 1).start();
        assertInstanceOf(ExitReason.Finished.class, within(worker.end()));
        assertEquals(State.ENDED, worker.state());
        assertFalse(worker.isRunning());
        worker = python.worker("stopped by python").start();
        PyObject stop = worker.asPyObject().attribute("stop");
        within(worker.submit(stop).handle((result, e) -> null));
        assertInstanceOf(ExitReason.Finished.class, within(worker.end()));
    }

    @Test
    void aFailureIsItsExitReason() throws Exception {
        LoopWorker worker = python.worker("failing")
                .main("__main__:run", python.eval("ValueError('no')"))
                .start();
        PyException e = assertInstanceOf(
                PyException.class,
                assertInstanceOf(ExitReason.Failed.class, within(worker.end())).exception());
        assertEquals("ValueError: no", e.getMessage());
        assertEquals(State.FAILED, worker.state());
        worker = python.worker("missing").main("no_such_module:f").start();
        e = assertInstanceOf(
                PyException.class,
                assertInstanceOf(ExitReason.Failed.class, within(worker.end())).exception());
        assertEquals("ModuleNotFoundError", e.pythonType());
        assertThrows(IllegalArgumentException.class, () -> python.worker("x").main("no colon"));
    }

    @Test
    void systemExitHasAStatus() throws Exception {
        List<List<Object>> cases =
                List.of(List.of("SystemExit(3)", 3), List.of("SystemExit()", 0), List.of("SystemExit('message')", 1));
        for (List<Object> c : cases) {
            python.exec("runs.clear()");
            LoopWorker worker = python.worker("exiting")
                    .main("__main__:run", python.eval((String) c.get(0)))
                    .start();
            ExitReason.SystemExited exited =
                    assertInstanceOf(ExitReason.SystemExited.class, within(worker.end()), worker::name);
            assertEquals(c.get(1), exited.status());
        }
        // In a task that is not the main one, too.
        LoopWorker worker = python.worker("exiting").main("__main__:forever").start();
        within(worker.submit(python.eval("lambda: asyncio.get_running_loop().call_soon(sys.exit, 4)"))
                .handle((result, e) -> null));
        assertEquals(
                4,
                assertInstanceOf(ExitReason.SystemExited.class, within(worker.end()))
                        .status());
    }

    @Test
    void aFailedWorkerIsStartedAgain() throws Exception {
        BlockingQueue<State> states = new LinkedBlockingQueue<>();
        LoopWorker worker = python.worker("again")
                .main("__main__:run", python.eval("OSError('lost')"))
                .restart(AT_ONCE)
                .listener((self, state) -> states.add(state))
                .start();
        await(states, State.RESTARTING);
        await(states, State.RUNNING);
        assertInstanceOf(ExitReason.Failed.class, worker.exitReasonOrNull());
        assertEquals(1, worker.restartCount());
        assertEquals(5, within(worker.submit(int.class, "__main__", "back", 5)));
        worker.close();
        assertEquals(State.ENDED, worker.state());
        assertInstanceOf(ExitReason.Stopped.class, worker.exitReasonOrNull());
        await(states, State.ENDED);
        assertEquals(List.of(), List.copyOf(states));
        assertEquals("['jvloop loop again', 'jvloop loop again']", python.eval("str(runs)", String.class));
    }

    @Test
    void restartsAreLimited() throws Exception {
        Set<PyObject> loops = ConcurrentHashMap.newKeySet();
        LoopWorker worker = python.worker("limited")
                .main("__main__:run", python.eval("OSError('lost')"), 100)
                .restart(AT_ONCE)
                .listener((self, state) -> {
                    if (state == State.RUNNING) {
                        loops.add(self.asPyObject());
                    }
                })
                .start();
        assertInstanceOf(ExitReason.Failed.class, within(worker.end()));
        assertEquals(State.FAILED, worker.state());
        assertEquals(3, runs());
        assertEquals(2, worker.restartCount());
        assertEquals(3, loops.size());
        assertTrue(loops.stream().allMatch(loop -> loop.callMethod("is_closed").isTrue()));
    }

    @Test
    void onlyWhatThePolicySaysIsStartedAgain() throws Exception {
        LoopWorker worker =
                python.worker("done").main("__main__:back", 1).restart(AT_ONCE).start();
        assertInstanceOf(ExitReason.Finished.class, within(worker.end()));
        assertEquals(0, worker.restartCount());
        worker = python.worker("always")
                .main("__main__:back", 1)
                .restart(
                        RestartPolicy.always().atMost(3, Duration.ofMinutes(10)).backOff(Duration.ZERO, Duration.ZERO))
                .start();
        assertInstanceOf(ExitReason.Finished.class, within(worker.end()));
        assertEquals(State.ENDED, worker.state());
        assertEquals(3, worker.restartCount());
    }

    @Test
    void betweenTwoRunsSubmissionsFailAndStoppingEndsTheWait() throws Exception {
        BlockingQueue<State> states = new LinkedBlockingQueue<>();
        LoopWorker worker = python.worker("waiting")
                .main("__main__:run", python.eval("OSError('lost')"))
                .restart(RestartPolicy.onFailure().backOff(Duration.ofHours(1), Duration.ofHours(1)))
                .listener((self, state) -> states.add(state))
                .start();
        await(states, State.RESTARTING);
        Throwable refusal = causeOf(worker.submit("__main__", "back", 5));
        assertEquals(
                "the worker \"waiting\" has no loop now: it is RESTARTING",
                assertInstanceOf(RejectedExecutionException.class, refusal).getMessage());
        assertFalse(worker.isRunning());
        worker.stop(Duration.ofSeconds(10));
        assertInstanceOf(ExitReason.Failed.class, within(worker.end()));
        assertEquals(State.ENDED, worker.state());
        assertEquals(1, runs());
    }

    @Test
    void aBusyTaskIsInterruptedAndTheWorkerStartedAgain() throws Exception {
        BlockingQueue<State> states = new LinkedBlockingQueue<>();
        LoopWorker worker = python.worker("busy")
                .restart(AT_ONCE)
                .listener((self, state) -> states.add(state))
                .start();
        await(states, State.RUNNING);
        PyObject began = event();
        CompletableFuture<PyObject> spinning = worker.submit("__main__", "spin_in_task", began);
        await(began);
        assertTrue(worker.interrupt());
        assertEquals(
                "KeyboardInterrupt",
                assertInstanceOf(PyException.class, causeOf(spinning)).pythonType());
        await(states, State.RUNNING);
        assertInstanceOf(ExitReason.Interrupted.class, worker.exitReasonOrNull());
        assertEquals(5, within(worker.submit(int.class, "__main__", "back", 5)));
        worker.close();
    }

    @Test
    void anExceptionOfAnotherClassEndsTheTaskAlone() throws Exception {
        try (PythonLoop loop = python.startLoop("interrupted")) {
            PyObject began = event();
            CompletableFuture<PyObject> spinning = loop.submit("__main__", "spin_in_task", began);
            await(began);
            assertTrue(loop.interrupt(python.eval("TimeoutError")));
            assertEquals(
                    "TimeoutError",
                    assertInstanceOf(PyException.class, causeOf(spinning)).pythonType());
            assertEquals(5, within(loop.submit(int.class, "__main__", "back", 5)));
            PyException e = assertThrows(PyException.class, () -> loop.interrupt(python.eval("int")));
            assertEquals("TypeError", e.pythonType());
        }
    }

    @Test
    void aWaitingLoopIsNotInterrupted() throws Exception {
        try (PythonLoop loop = python.startLoop("idle")) {
            PyObject began = event();
            CompletableFuture<PyObject> waiting = loop.submit("__main__", "forever", began);
            await(began);
            // The loop's thread is about to wait, if it does not yet.
            while (loop.interrupt(python.eval("TimeoutError"))) {
                Thread.onSpinWait();
            }
            assertFalse(loop.interrupt());
            waiting.cancel(true);
            assertEquals(5, within(loop.submit(int.class, "__main__", "back", 5)));
        }
    }

    @Test
    void stoppingInterruptsWhatDoesNotEnd() throws Exception {
        LoopWorker worker = python.worker("spinning").restart(AT_ONCE).start();
        PyObject began = event();
        CompletableFuture<PyObject> spinning = worker.submit("__main__", "spin_in_task", began);
        await(began);
        worker.close(Duration.ofMillis(50));
        assertInstanceOf(ExitReason.Stopped.class, within(worker.end()));
        assertEquals(
                "KeyboardInterrupt",
                assertInstanceOf(PyException.class, causeOf(spinning)).pythonType());
        assertEquals(0, worker.restartCount());
    }

    @Test
    void aThreadThatDoesNotEndIsSaid() throws Exception {
        LoopWorker worker = python.worker("stuck").start();
        PyObject began = event();
        PyObject lock = python.eval("threading.Lock()");
        lock.callMethod("acquire");
        CompletableFuture<PyObject> waiting = worker.submit("__main__", "wait_in_c", began, lock);
        await(began);
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> worker.close(Duration.ofMillis(10)));
        assertTrue(e.getMessage().contains("the loop \"stuck\" does not end"), e::getMessage);
        assertEquals(State.STOPPING, worker.state());
        lock.callMethod("release");
        assertInstanceOf(ExitReason.Stopped.class, within(worker.end()));
        assertTrue(waiting.isDone());
        worker.close();
    }

    @Test
    void itsOwnThreadsDoNotCloseIt() throws Exception {
        CompletableFuture<Throwable> inListener = new CompletableFuture<>();
        LoopWorker worker = python.worker("own")
                .listener((self, state) -> {
                    if (state == State.RUNNING) {
                        inListener.complete(assertThrows(IllegalStateException.class, self::close));
                        throw new IllegalArgumentException("a listener's own");
                    }
                })
                .start();
        assertInstanceOf(IllegalStateException.class, within(inListener));
        CompletableFuture<Void> inLoop = worker.submit(python.eval("asyncio.sleep(0.01)"))
                .thenAccept(result -> assertThrows(IllegalStateException.class, worker::close));
        within(inLoop);
        worker.close();
    }

    @Test
    void workersShareWhatThereIsToDo() throws Exception {
        LoopWorkers workers = python.worker("shared").start(3);
        assertEquals(
                List.of("shared-1", "shared-2", "shared-3"),
                workers.all().stream().map(PythonLoop::name).toList());
        Set<LoopWorker> inTurn = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            inTurn.add(workers.next());
        }
        assertEquals(Set.copyOf(workers.all()), inTurn);
        Set<LoopWorker> byKey = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            assertSame(workers.of("key " + i), workers.of("key " + i));
            byKey.add(workers.of(i));
        }
        assertEquals(3, byKey.size());
        assertSame(workers.ofCaller(), workers.ofCaller());
        Set<LoopWorker> byThread = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < 3; i++) {
            Thread.ofVirtual().start(() -> byThread.add(workers.ofCaller())).join();
        }
        assertTrue(byThread.size() > 1, () -> "threads do not share: " + byThread);
        workers.all().get(1).close();
        for (int i = 0; i < 6; i++) {
            assertNotSame(workers.all().get(1), workers.next());
            assertEquals(i, within(workers.next().submit(int.class, "__main__", "back", i)));
        }
        workers.close();
        assertTrue(workers.all().stream().allMatch(worker -> worker.state() == State.ENDED));
        assertThrows(IllegalArgumentException.class, () -> LoopWorkers.of(List.of()));
    }
}
