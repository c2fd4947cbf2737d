package dev.jvloop;

/** A running loop in JMX, as {@link PythonConfiguration#management()} says: {@link LoopState}'s numbers. */
public interface LoopMXBean {
    /** The loop's. */
    String getName();

    /** {@link LoopState#isRunning()}. */
    boolean isRunning();

    /** {@link LoopState#waitingSubmissions()}. */
    int getWaitingSubmissions();

    /** {@link LoopState#runningSubmissions()}. */
    int getRunningSubmissions();

    /** {@link LoopState#readyCallbacks()}. */
    int getReadyCallbacks();

    /** {@link LoopState#timers()}. */
    int getTimers();

    /** {@link LoopState#descriptors()}. */
    int getDescriptors();

    /** {@link LoopState#iterations()}. */
    long getIterations();

    /** {@link LoopState#uptime()}. */
    double getUptimeSeconds();

    /** {@link LoopState#cpuTime()}. */
    double getCpuTimeSeconds();

    /** {@link PythonLoop#countTasks()}: an operation, since it waits for the GIL. */
    int countTasks();
}
