package dev.jvloop.py;

/** Says whether the calling thread may run a method of a Python object now. Asked in free-threaded Python only. */
public interface ThreadGuard {
    /**
     * Takes what the method works on for the calling thread.
     *
     * @return what gives it back after the method, or null if the thread has it anyway
     * @throws PythonError RuntimeError, if another thread has it
     */
    Claim enterOrNull(long self);

    /** What {@link #enterOrNull} took. */
    interface Claim {
        void release();
    }
}
