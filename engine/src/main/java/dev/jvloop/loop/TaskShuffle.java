package dev.jvloop.loop;

import dev.jvloop.capi.Objects;
import dev.jvloop.py.Names;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import java.util.random.RandomGenerator;

/**
 * A seeded disorder among what asyncio promises no order for, so that a test can go through many orders and repeat one:
 * the tasks that are ready in one iteration, and timers of one deadline. (The events of one poll: EventShuffle.)
 *
 * <p>Callbacks of {@code call_soon} run in the order in which they were registered: that is documented, so they stay
 * where they are, and tasks only change places with tasks. A task is ready at most once, so its own steps keep their
 * order.
 */
final class TaskShuffle {
    private static final long TASK = Namespace.object("type.asyncio.Task");

    private final RandomGenerator random;

    TaskShuffle(RandomGenerator random) {
        this.random = random;
    }

    /** Where a timer stands among those of its deadline. */
    long tieBreaker() {
        return random.nextLong() >>> 1;
    }

    /** Lets the tasks among the first {@code count} in the ready queue change places. */
    void shuffle(ReadyQueue ready, int count) {
        if (count < 2) {
            return;
        }
        long[] owned = new long[ready.size()];
        int[] places = new int[count];
        int tasks = 0;
        for (int i = 0; i < owned.length; i++) {
            owned[i] = ready.pop();
        }
        for (int i = 0; i < count; i++) {
            if (isOfTask(owned[i])) {
                places[tasks++] = i;
            }
        }
        for (int i = tasks - 1; i > 0; i--) {
            int other = places[random.nextInt(i + 1)];
            long swapped = owned[places[i]];
            owned[places[i]] = owned[other];
            owned[other] = swapped;
        }
        for (long handle : owned) {
            ready.push(handle);
        }
    }

    /** Whether a handle runs a step of a task: the callback is bound to the task then. */
    private static boolean isOfTask(long handle) {
        long callback = Handles.callbackOf(handle);
        if (callback == 0 || callback == Py.NONE) {
            return false;
        }
        long ownedSelf = Objects.PyObject_GetAttr(callback, Names.SELF);
        if (ownedSelf == 0) {
            // It is bound to nothing.
            Refs.decref(PyErr.newTaken());
            return false;
        }
        boolean ofTask = (int) Objects.PyType_IsSubtype(Py.typeOf(ownedSelf), TASK) != 0;
        Refs.decref(ownedSelf);
        return ofTask;
    }
}
