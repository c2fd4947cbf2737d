package dev.jvloop.transport;

import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;
import java.util.function.LongConsumer;

/** Datagrams that the kernel did not take yet, each with the address it goes to. */
final class DatagramQueue {
    private static final int INITIAL_CAPACITY = 8;

    private final int headerSize;
    private long[] ownedData;
    private long[] ownedDestinations;
    private int head;
    private int count;
    private long byteCount;

    /** @param headerSize bytes that each datagram counts for beside its data */
    DatagramQueue(int headerSize) {
        this.headerSize = headerSize;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Bytes that wait, with their headers. */
    long size() {
        return byteCount;
    }

    /** Appends a datagram; takes over both references. */
    void add(long ownedBytes, long ownedDestination) {
        if (ownedData == null) {
            ownedData = new long[INITIAL_CAPACITY];
            ownedDestinations = new long[INITIAL_CAPACITY];
        } else if (count == ownedData.length) {
            grow();
        }
        int tail = (head + count) & (ownedData.length - 1);
        ownedData[tail] = ownedBytes;
        ownedDestinations[tail] = ownedDestination;
        count++;
        byteCount += Py.size(ownedBytes) + headerSize;
    }

    /** A borrowed reference to the first datagram's bytes object. */
    long firstData() {
        return ownedData[head];
    }

    /** A borrowed reference to the first datagram's destination, None for a connected socket's. */
    long firstDestination() {
        return ownedDestinations[head];
    }

    void dropFirst() {
        long data = ownedData[head];
        long destination = ownedDestinations[head];
        head = (head + 1) & (ownedData.length - 1);
        count--;
        byteCount -= Py.size(data) + headerSize;
        Refs.decref(data);
        Refs.decref(destination);
    }

    void clear() {
        while (count > 0) {
            dropFirst();
        }
        ownedData = null;
        ownedDestinations = null;
        head = 0;
    }

    void visitReferences(LongConsumer visit) {
        for (int i = 0; i < count; i++) {
            int place = (head + i) & (ownedData.length - 1);
            visit.accept(ownedData[place]);
            visit.accept(ownedDestinations[place]);
        }
    }

    private void grow() {
        ownedData = unrolled(ownedData);
        ownedDestinations = unrolled(ownedDestinations);
        head = 0;
    }

    private long[] unrolled(long[] ring) {
        long[] larger = new long[ring.length * 2];
        System.arraycopy(ring, head, larger, 0, ring.length - head);
        System.arraycopy(ring, 0, larger, ring.length - head, head);
        return larger;
    }
}
