package dev.jvloop.host;

import dev.jvloop.LoopMXBean;
import dev.jvloop.LoopState;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * The loops in JMX, for programs that want that: the first use of the platform's MBean server takes 150 ms of CPU time
 * and 330 ms in all, where starting a loop takes a few.
 */
final class LoopBeans {
    private static final System.Logger LOGGER = System.getLogger("dev.jvloop");

    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    private final Map<HostLoop, ObjectName> names = new ConcurrentHashMap<>();

    private record Bean(HostLoop loop) implements LoopMXBean {
        private LoopState state() {
            return loop.loopState();
        }

        @Override
        public String getName() {
            return loop.name();
        }

        @Override
        public boolean isRunning() {
            return loop.isRunning();
        }

        @Override
        public int getWaitingSubmissions() {
            return state().waitingSubmissions();
        }

        @Override
        public int getRunningSubmissions() {
            return state().runningSubmissions();
        }

        @Override
        public int getReadyCallbacks() {
            return state().readyCallbacks();
        }

        @Override
        public int getTimers() {
            return state().timers();
        }

        @Override
        public int getDescriptors() {
            return state().descriptors();
        }

        @Override
        public long getIterations() {
            return state().iterations();
        }

        @Override
        public double getUptimeSeconds() {
            return seconds(state().uptime());
        }

        @Override
        public double getCpuTimeSeconds() {
            return seconds(state().cpuTime());
        }

        private static double seconds(Duration duration) {
            return duration.toNanos() / 1e9;
        }

        @Override
        public int countTasks() {
            return loop.countTasks();
        }
    }

    /** Shows a loop; a further one of the same name has a number too. */
    void add(HostLoop loop) {
        for (int number = 1; !names.containsKey(loop); number++) {
            try {
                ObjectName name = nameOf(loop, number);
                server.registerMBean(new Bean(loop), name);
                names.put(loop, name);
            } catch (InstanceAlreadyExistsException e) {
                // The next number.
            } catch (JMException e) {
                failed(loop, e);
                return;
            }
        }
    }

    private static ObjectName nameOf(HostLoop loop, int number) throws JMException {
        String name = loop.name();
        // Such characters have a meaning in object names.
        String value = name.isEmpty() || name.matches("(?s).*[,=:\"*?\n].*") ? ObjectName.quote(name) : name;
        return new ObjectName("dev.jvloop:type=Loop,name=" + value + (number == 1 ? "" : ",number=" + number));
    }

    /** Shows it no more. */
    void remove(HostLoop loop) {
        ObjectName nameOrNull = names.remove(loop);
        if (nameOrNull != null) {
            try {
                server.unregisterMBean(nameOrNull);
            } catch (JMException e) {
                failed(loop, e);
            }
        }
    }

    private static void failed(HostLoop loop, JMException e) {
        LOGGER.log(System.Logger.Level.WARNING, "the loop \"" + loop.name() + "\" in JMX", e);
    }
}
