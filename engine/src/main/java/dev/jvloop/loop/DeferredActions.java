package dev.jvloop.loop;

import java.util.Arrays;

/** What is put off to a later moment of the loop: each action is run once, in order. Guarded by the GIL. */
public final class DeferredActions {
    private Runnable[] actions = new Runnable[4];
    private int count;

    /** Has {@code action} run at the next {@link #run}; what it adds itself is run there too. */
    public void add(Runnable action) {
        if (count == actions.length) {
            actions = Arrays.copyOf(actions, count * 2);
        }
        actions[count++] = action;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /**
     * Runs what is there.
     *
     * @throws dev.jvloop.py.PythonError out of one of them; those behind it are run next time then
     */
    void run() {
        if (count != 0) {
            runAll();
        }
    }

    private void runAll() {
        int begun = 0;
        try {
            while (begun < count) {
                actions[begun++].run();
            }
        } finally {
            int left = count - begun;
            System.arraycopy(actions, begun, actions, 0, left);
            Arrays.fill(actions, left, count, null);
            count = left;
        }
    }
}
