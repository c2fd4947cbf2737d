package dev.jvloop.host;

import dev.jvloop.py.Calls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** An arena whose memory Python may view: closing it takes the views back, or is refused. */
final class ViewedArena implements Arena {
    private static final int CLOSED = -1;
    private static final Map<MemorySegment.Scope, ViewedArena> OPEN = new ConcurrentHashMap<>();

    private final Arena memory = Arena.ofShared();
    private final Interpreter interpreter;
    /** A dict of the memoryviews that Python was given. */
    private final ObjectHandle views;
    /** How often Python has the memory of one of the segments now; or {@link #CLOSED}. */
    private final AtomicInteger viewCount = new AtomicInteger();

    private ViewedArena(Interpreter interpreter, ObjectHandle views) {
        this.interpreter = interpreter;
        this.views = views;
    }

    /** In Python. */
    static Arena open(Interpreter interpreter) {
        ViewedArena arena = new ViewedArena(interpreter, interpreter.newHandle(Calls.newResult(HostNames.NEW_VIEWS)));
        OPEN.put(arena.scope(), arena);
        return arena;
    }

    /** The open one with this scope. */
    static ViewedArena ofOrNull(MemorySegment.Scope scope) {
        return OPEN.get(scope);
    }

    /** Takes back what can be of all that are open, before Python ends. In Python. */
    static void releaseAllViews() {
        OPEN.values().forEach(ViewedArena::releaseViews);
    }

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        return memory.allocate(byteSize, byteAlignment);
    }

    @Override
    public MemorySegment.Scope scope() {
        return memory.scope();
    }

    /** A new memoryview of an object with memory of this arena. In Python. */
    long newView(long javaMemory) {
        return Calls.newResult(HostNames.NEW_VIEW, javaMemory, new Calls.Owned(views.newReference()));
    }

    private void releaseViews() {
        Calls.run(HostNames.RELEASE_VIEWS, new Calls.Owned(views.newReference()));
    }

    /** Counts one more; false if the arena was closed. Any thread. */
    boolean addView() {
        int before;
        do {
            before = viewCount.get();
            if (before == CLOSED) {
                return false;
            }
        } while (!viewCount.compareAndSet(before, before + 1));
        return true;
    }

    void removeView() {
        viewCount.decrementAndGet();
    }

    @Override
    public void close() {
        interpreter.runUnlessEnding(this::releaseViews);
        int before = viewCount.compareAndExchange(0, CLOSED);
        if (before > 0) {
            throw new IllegalStateException(
                    "Python uses memory of this arena: what was made of a memoryview of it, such as"
                            + " a slice or a numpy array, must be released first");
        }
        try {
            memory.close();
        } catch (IllegalStateException e) {
            // It is closed already, or a system call uses it.
            if (before == 0 && scope().isAlive()) {
                viewCount.set(0);
            }
            throw e;
        }
        OPEN.remove(scope());
    }
}
