package dev.jvloop.transport;

import dev.jvloop.foreign.Memory;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;

/** What a transport could not send yet: owned references to bytes objects, sent from their own memory. */
final class WriteQueue {
    private static final int INITIAL_CAPACITY = 8;

    private long[] chunks;
    private int head;
    private int count;
    /** How much of the first chunk is sent. */
    private long headOffset;

    private long byteCount;

    boolean isEmpty() {
        return count == 0;
    }

    /** Bytes still to send. */
    long size() {
        return byteCount;
    }

    /** Appends a bytes object from {@code offset} on; an offset is only possible for the first chunk. */
    void add(long ownedBytes, long offset) {
        if (chunks == null) {
            chunks = new long[INITIAL_CAPACITY];
        } else if (count == chunks.length) {
            grow();
        }
        if (count == 0) {
            headOffset = offset;
        }
        chunks[(head + count) & (chunks.length - 1)] = ownedBytes;
        count++;
        byteCount += Py.size(ownedBytes) - offset;
    }

    /**
     * Fills the loop's iovecs with the first chunks.
     *
     * @return how many iovecs are filled
     */
    int fill(IoScratch scratch) {
        int filled = Math.min(count, IoScratch.MAX_IOVECS);
        long offset = headOffset;
        for (int i = 0; i < filled; i++) {
            long bytes = chunks[(head + i) & (chunks.length - 1)];
            Memory.putLong(scratch.iovecs + 16L * i, Py.bytesData(bytes) + offset);
            Memory.putLong(scratch.iovecs + 16L * i + 8, Py.size(bytes) - offset);
            offset = 0;
        }
        return filled;
    }

    /** Takes {@code sent} bytes off the front. */
    void advance(long sent) {
        byteCount -= sent;
        long left = sent;
        while (count > 0) {
            long bytes = chunks[head];
            long rest = Py.size(bytes) - headOffset;
            if (left < rest) {
                headOffset += left;
                return;
            }
            left -= rest;
            dropFirst();
        }
    }

    void clear() {
        byteCount = 0;
        while (count > 0) {
            dropFirst();
        }
        chunks = null;
        head = 0;
    }

    private void dropFirst() {
        long ownedBytes = chunks[head];
        chunks[head] = 0;
        head = (head + 1) & (chunks.length - 1);
        count--;
        headOffset = 0;
        Refs.decref(ownedBytes);
    }

    private void grow() {
        long[] larger = new long[chunks.length * 2];
        for (int i = 0; i < count; i++) {
            larger[i] = chunks[(head + i) & (chunks.length - 1)];
        }
        chunks = larger;
        head = 0;
    }
}
