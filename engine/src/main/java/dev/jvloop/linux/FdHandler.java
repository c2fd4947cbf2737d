package dev.jvloop.linux;

/** What is told when a registered file descriptor is ready. */
public interface FdHandler {
    /**
     * The descriptor is ready for what {@code events} says: {@link Poller#READ}, {@link Poller#WRITE} or both, each
     * only if the handler asked for it. An error or hang-up counts as ready for everything asked for: the next read
     * or write reports it. Called on the loop's thread.
     */
    void onReady(int events);

    /**
     * Whether this handler, where it watches for reading alone, reads all that has come, or else calls {@link
     * Poller#readAgain}.
     */
    default boolean readsAll() {
        return false;
    }
}
