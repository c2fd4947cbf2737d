package dev.jvloop.py;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory that a call into C needs for its time: a stack for each thread. A call takes two or three pieces, and with arenas
 * of their own, each a malloc and a free, these were a fifth of a call with a str.
 */
public final class Scratch {
    private static final long CAPACITY_BYTES = 4096;
    private static final long ALIGNMENT = 16;
    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private final MemorySegment memory = Arena.ofAuto().allocate(CAPACITY_BYTES, ALIGNMENT);
    private long used;

    private Scratch() {}

    /** A piece, aligned for anything, with any content. Pieces are closed in the opposite order, by the same thread. */
    public static Piece take(long byteCount) {
        Scratch scratch = OF_THREAD.get();
        long before = scratch.used;
        if (byteCount > CAPACITY_BYTES - before) {
            Arena arena = Arena.ofConfined();
            return new Piece(arena.allocate(byteCount, ALIGNMENT).address(), scratch, before, arena);
        }
        scratch.used = (before + byteCount + ALIGNMENT - 1) & -ALIGNMENT;
        return new Piece(scratch.memory.address() + before, scratch, before, null);
    }

    /** Memory until it is closed. */
    public static final class Piece implements AutoCloseable {
        private final long address;
        private final Scratch scratch;
        private final long usedBefore;
        private final Arena arenaOrNull;

        private Piece(long address, Scratch scratch, long usedBefore, Arena arenaOrNull) {
            this.address = address;
            this.scratch = scratch;
            this.usedBefore = usedBefore;
            this.arenaOrNull = arenaOrNull;
        }

        public long address() {
            return address;
        }

        @Override
        public void close() {
            scratch.used = usedBefore;
            if (arenaOrNull != null) {
                arenaOrNull.close();
            }
        }
    }
}
