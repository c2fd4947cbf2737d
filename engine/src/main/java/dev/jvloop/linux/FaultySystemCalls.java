package dev.jvloop.linux;

import dev.jvloop.foreign.Memory;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * System calls that fail on purpose, for tests of a program's own protocols: they transfer less than they could, are
 * interrupted, find the connection reset or no descriptor left. Whatever they do transfer is real.
 *
 * <p>A class of its own, loaded when a test asks for it first: the calls of other loops stay as direct as they are.
 */
public final class FaultySystemCalls extends SystemCalls {
    // The words of the block that the test shares with this object: _Block in testing.py.
    private static final int MAX_READ = 0;
    private static final int MAX_WRITE = 8;
    private static final int INTERRUPT_PROBABILITY = 16;
    private static final int RESET_AFTER = 24;
    private static final int REFUSED_ACCEPTS = 32;
    private static final int IS_SEEDED = 40;
    private static final int SEED = 48;
    private static final int SHORT_READS = 56;
    private static final int SHORT_WRITES = 64;
    private static final int INTERRUPTIONS = 72;
    private static final int RESETS = 80;
    private static final int REFUSALS = 88;

    // Of struct msghdr.
    private static final int MSG_IOV = 16;
    private static final int MSG_IOVLEN = 24;

    private final long block;
    private final long maxRead;
    private final long maxWrite;
    private final double interruptProbability;
    private final long resetAfter;
    private final SplittableRandom random;
    private final boolean isSeeded;
    private long acceptsToRefuse;
    /** Bytes that each connection has transferred, by descriptor. */
    private long[] transferred = new long[64];

    /** @param block address of the test's wishes, and of the counters of what was done; it outlives this object */
    public FaultySystemCalls(long block) {
        this.block = block;
        maxRead = Memory.getLong(block + MAX_READ);
        maxWrite = Memory.getLong(block + MAX_WRITE);
        interruptProbability = Memory.getDouble(block + INTERRUPT_PROBABILITY);
        resetAfter = Memory.getLong(block + RESET_AFTER);
        acceptsToRefuse = Memory.getLong(block + REFUSED_ACCEPTS);
        isSeeded = Memory.getLong(block + IS_SEEDED) != 0;
        random = new SplittableRandom(Memory.getLong(block + SEED));
    }

    /** A descriptor stands for another connection from now on. */
    public void startCounting(int fd) {
        if (fd >= transferred.length) {
            transferred = Arrays.copyOf(transferred, Math.max(fd + 1, transferred.length * 2));
        }
        transferred[fd] = 0;
    }

    @Override
    public boolean mayHaveLeft(long received, long asked) {
        return true;
    }

    @Override
    public long recv(int fd, long buffer, long length) {
        if (isInterrupted()) {
            return -Errno.EINTR;
        }
        if (isReset(fd)) {
            return -Errno.ECONNRESET;
        }
        long allowed = Math.min(limit(length, maxRead), leftBeforeReset(fd));
        long received = super.recv(fd, buffer, allowed);
        if (received == allowed && allowed < length) {
            count(SHORT_READS);
        }
        return noteTransfer(fd, received);
    }

    @Override
    public long send(int fd, long buffer, long length, long flags) {
        if (isInterrupted()) {
            return -Errno.EINTR;
        }
        if (isReset(fd)) {
            return -Errno.ECONNRESET;
        }
        return sendSome(fd, buffer, length, length, flags);
    }

    @Override
    public long recvStream(int fd, long buffer, long length) {
        return recv(fd, buffer, length);
    }

    @Override
    public long sendStream(int fd, long buffer, long length, long flags) {
        return send(fd, buffer, length, flags);
    }

    @Override
    public long sendmsg(int fd, long message) {
        if (isInterrupted()) {
            return -Errno.EINTR;
        }
        if (isReset(fd)) {
            return -Errno.ECONNRESET;
        }
        long iovecs = Memory.getLong(message + MSG_IOV);
        long total = 0;
        for (long i = 0; i < Memory.getLong(message + MSG_IOVLEN); i++) {
            total += Memory.getLong(iovecs + 16 * i + 8);
        }
        if (limit(total, maxWrite) >= total && leftBeforeReset(fd) >= total) {
            return noteTransfer(fd, super.sendmsg(fd, message));
        }
        // Part of the first piece: a short write as any other.
        return sendSome(fd, Memory.getLong(iovecs), Memory.getLong(iovecs + 8), total, 0);
    }

    private long sendSome(int fd, long buffer, long length, long total, long flags) {
        long allowed = Math.min(limit(length, maxWrite), leftBeforeReset(fd));
        long sent = super.send(fd, buffer, allowed, flags);
        if (sent == allowed && allowed < total) {
            count(SHORT_WRITES);
        }
        return noteTransfer(fd, sent);
    }

    @Override
    public int accept4(int fd, long address, long addressLength) {
        if (isInterrupted()) {
            return -Errno.EINTR;
        }
        if (acceptsToRefuse > 0) {
            acceptsToRefuse--;
            count(REFUSALS);
            return -Errno.EMFILE;
        }
        int connection = super.accept4(fd, address, addressLength);
        if (connection >= 0) {
            startCounting(connection);
        }
        return connection;
    }

    /** How many of {@code length} bytes may be transferred; {@code most} is 0 for all. */
    private long limit(long length, long most) {
        if (most == 0 || length == 0) {
            return length;
        }
        return Math.min(length, isSeeded ? 1 + random.nextLong(most) : most);
    }

    private boolean isInterrupted() {
        if (interruptProbability == 0 || random.nextDouble() >= interruptProbability) {
            return false;
        }
        count(INTERRUPTIONS);
        return true;
    }

    private boolean isReset(int fd) {
        if (leftBeforeReset(fd) > 0) {
            return false;
        }
        count(RESETS);
        return true;
    }

    private long leftBeforeReset(int fd) {
        return resetAfter < 0 ? Long.MAX_VALUE : resetAfter - transferredBy(fd);
    }

    private long transferredBy(int fd) {
        return fd < transferred.length ? transferred[fd] : 0;
    }

    private long noteTransfer(int fd, long result) {
        if (result > 0) {
            long before = transferredBy(fd);
            if (fd >= transferred.length) {
                startCounting(fd);
            }
            transferred[fd] = before + result;
        }
        return result;
    }

    private void count(int counter) {
        Memory.putLong(block + counter, Memory.getLong(block + counter) + 1);
    }
}
