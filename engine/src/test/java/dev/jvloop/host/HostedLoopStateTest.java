package dev.jvloop.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.LoopMXBean;
import dev.jvloop.LoopState;
import dev.jvloop.PyObject;
import dev.jvloop.Python;
import dev.jvloop.PythonLoop;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import javax.management.JMX;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What loops say of themselves. */
class HostedLoopStateTest {
    private static Python python;

    @BeforeAll
    static void start() {
        python = Python.configure()
                .interpreter(Pythons.probedOrAbort().executable())
                .management()
                .start();
        python.exec("""
            import asyncio, socket, threading, time

            def burn(seconds):
                '''Spends CPU time.'''
                end = time.thread_time() + seconds
                while time.thread_time() < end:
                    pass
            """);
    }

    @AfterAll
    static void end() {
        if (python != null) {
            python.close(Duration.ofSeconds(20));
        }
    }

    private static <T> T within(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    /** The loop's state, once it is as expected. */
    private static LoopState await(PythonLoop loop, Predicate<LoopState> expected) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        LoopState state;
        do {
            state = loop.loopState();
            if (expected.test(state)) {
                return state;
            }
            Thread.onSpinWait();
        } while (System.nanoTime() < deadline);
        throw new AssertionError(state);
    }

    @Test
    void aLoopSaysWhatItHas() throws Exception {
        PythonLoop loop = python.startLoop("told");
        CompletableFuture<PyObject> sleeping = loop.submit("asyncio", "sleep", 3600);
        LoopState before = await(loop, state -> state.timers() == 1 && state.runningSubmissions() == 1);
        assertEquals("told", before.name());
        assertTrue(before.isRunning());
        assertEquals(1, loop.countTasks());
        within(loop.submit(python.eval("lambda: globals().update(pair=socket.socketpair())")));
        within(loop.submit(python.eval("lambda: asyncio.get_running_loop().add_reader(pair[0], print)")));
        LoopState after = loop.loopState();
        assertEquals(before.descriptors() + 1, after.descriptors());
        assertTrue(after.iterations() > before.iterations(), after::toString);
        assertTrue(after.uptime().compareTo(before.uptime()) > 0, after::toString);
        within(loop.submit(python.eval("lambda: asyncio.get_running_loop().remove_reader(pair[0])")));
        python.exec("pair[0].close(); pair[1].close()");
        sleeping.cancel(true);
        await(loop, state -> state.runningSubmissions() == 0 && state.timers() == 0);
        assertEquals(0, loop.countTasks());
        loop.close();
        LoopState last = loop.loopState();
        assertFalse(last.isRunning());
        assertEquals(Duration.ZERO, last.cpuTime());
    }

    @Test
    void aLoopThatIsHeldUpAnswers() throws Exception {
        PythonLoop loop = python.startLoop("held up");
        PyObject began = python.eval("threading.Event()");
        PyObject go = python.eval("threading.Event()");
        CompletableFuture<PyObject> waiting = loop.submit(python.eval("lambda b, g: b.set() or g.wait(60)"), began, go);
        assertTrue(began.callMethod("wait", 60).isTrue());
        CompletableFuture<PyObject> behind = loop.submit("asyncio", "sleep", 0);
        assertEquals(1, loop.loopState().waitingSubmissions());
        go.callMethod("set");
        within(waiting);
        within(behind);
        assertEquals(0, loop.loopState().waitingSubmissions());
        loop.close();
    }

    @Test
    void busyIsTheCpuTimeOfItsThread() throws Exception {
        PythonLoop loop = python.startLoop("burning");
        LoopState before = loop.loopState();
        within(loop.submit("__main__", "burn", 0.05));
        LoopState after = loop.loopState();
        assertTrue(after.cpuTime().minus(before.cpuTime()).compareTo(Duration.ofMillis(40)) > 0, after::toString);
        double busy = after.busyFractionSince(before);
        assertTrue(busy > 0 && busy <= 1.05, () -> "busy: " + busy);
        assertEquals(0, after.busyFractionSince(after));
        loop.close();
    }

    @Test
    void jmxShowsRunningLoops() throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName("dev.jvloop:type=Loop,name=shown");
        ObjectName second = new ObjectName("dev.jvloop:type=Loop,name=shown,number=2");
        ObjectName quoted = new ObjectName("dev.jvloop:type=Loop,name=" + ObjectName.quote("a,b=c"));
        assertFalse(server.isRegistered(name));
        PythonLoop loop = python.startLoop("shown");
        PythonLoop alike = python.startLoop("shown");
        PythonLoop odd = python.startLoop("a,b=c");
        assertTrue(server.isRegistered(second));
        assertTrue(server.isRegistered(quoted));
        CompletableFuture<PyObject> sleeping = loop.submit("asyncio", "sleep", 3600);
        await(loop, state -> state.timers() == 1);
        LoopMXBean bean = JMX.newMXBeanProxy(server, name, LoopMXBean.class);
        assertEquals("shown", bean.getName());
        assertTrue(bean.isRunning());
        assertEquals(1, bean.getTimers());
        assertEquals(1, bean.getRunningSubmissions());
        assertEquals(0, bean.getWaitingSubmissions());
        assertEquals(0, bean.getReadyCallbacks());
        assertEquals(loop.loopState().descriptors(), bean.getDescriptors());
        assertTrue(bean.getIterations() > 0);
        assertTrue(bean.getUptimeSeconds() > 0);
        assertTrue(bean.getCpuTimeSeconds() > 0);
        assertEquals(1, bean.countTasks());
        sleeping.cancel(true);
        loop.close();
        alike.close();
        odd.close();
        assertFalse(server.isRegistered(name));
        assertFalse(server.isRegistered(second));
        assertFalse(server.isRegistered(quoted));
        assertThrows(RuntimeException.class, bean::getTimers);
    }
}
