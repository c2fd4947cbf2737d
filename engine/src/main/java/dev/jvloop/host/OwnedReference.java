package dev.jvloop.host;

import dev.jvloop.py.Refs;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Queue;

/**
 * An owned reference that several threads may use while one of them, or the garbage collector, gives it back: it is
 * given back when it was closed and nobody uses it any more, by a thread in Python.
 */
final class OwnedReference implements Loan {
    private static final int CLOSED = Integer.MIN_VALUE;
    private static final VarHandle USERS;

    static {
        try {
            USERS = MethodHandles.lookup().findVarHandle(OwnedReference.class, "users", int.class);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private final long ownedObject;
    private final Queue<Loan> released;

    /** How many use it now; negative once it is closed. */
    @SuppressWarnings("unused")
    private volatile int users;

    /**
     * Takes over the reference.
     *
     * @param released where the reference is put that a thread outside Python closed
     */
    OwnedReference(long ownedObject, Queue<Loan> released) {
        this.ownedObject = ownedObject;
        this.released = released;
    }

    boolean isClosed() {
        return users < 0;
    }

    /**
     * The object, which stays until {@link #endUse}.
     *
     * @throws IllegalStateException if it was closed
     */
    long use() {
        int before;
        do {
            before = users;
            if (before < 0) {
                throw new IllegalStateException("this PyObject was closed");
            }
        } while (!USERS.compareAndSet(this, before, before + 1));
        return ownedObject;
    }

    /** In Python. */
    void endUse() {
        if ((int) USERS.getAndAdd(this, -1) == CLOSED + 1) {
            giveBack();
        }
    }

    /** Any thread. */
    void close() {
        if ((int) USERS.getAndBitwiseOr(this, CLOSED) == 0) {
            released.add(this);
        }
    }

    /** By who took it out of the queue or used it last. */
    @Override
    public void giveBack() {
        Refs.decref(ownedObject);
    }
}
