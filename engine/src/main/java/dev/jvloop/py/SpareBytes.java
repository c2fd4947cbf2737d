package dev.jvloop.py;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.foreign.Memory;

/**
 * bytes objects that protocols have let go of, for the next data of about that size: one of each power of two.
 *
 * <p>Most protocols parse what they get, or copy it, and keep no reference. Objects above 512 bytes are malloc's, which
 * has no cache for those above a kilobyte. A TCP echo of 1 or of 10 KiB takes 1.5 % less CPU time with this; with objects
 * of 48 KiB and more, which are received into, no difference was seen. Reused is only what nobody but the caller of
 * {@link #giveBack} has a reference to. What a program does keep takes less than twice its size: its object is another's,
 * of the same power of two.
 *
 * <p>Guarded by the GIL. Free-threaded Python has no count that says that nobody else has a reference, so that nothing is
 * reused there.
 */
public final class SpareBytes {
    /** Smaller objects are pymalloc's, which is as fast as this. */
    private static final int LEAST = 512;

    private static final int MOST = (1 << 16) - 1;
    private static final int CLASSES = 16;

    private final long[] owned = new long[CLASSES];
    /** The size that the object of a class was made with, be it here or handed out. */
    private final long[] capacities = new long[CLASSES];
    /** The object of a class that was handed out again last, and has the capacity of its class. */
    private final long[] handedOut = new long[CLASSES];

    private boolean closed;

    /** A new reference to a bytes object with a copy of {@code size} bytes. */
    public long newCopy(long address, long size) {
        if (size < LEAST || size > MOST) {
            return PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address, size));
        }
        int sizeClass = classOf(size);
        long spare = owned[sizeClass];
        if (spare == 0 || capacities[sizeClass] < size) {
            handedOut[sizeClass] = 0;
            return PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address, size));
        }
        owned[sizeClass] = 0;
        handedOut[sizeClass] = spare;
        Py.resetBytes(spare, size);
        Memory.copy(address, Py.bytesData(spare), size);
        return spare;
    }

    /**
     * {@link Refs#decref} of a bytes object, which is kept here if that was the last reference. Whoever has one of {@link
     * #newCopy} gives it back, kept by others or not.
     */
    public void giveBack(long ownedBytes) {
        long size = Py.size(ownedBytes);
        if (size < LEAST || size > MOST) {
            Refs.decref(ownedBytes);
            return;
        }
        int sizeClass = classOf(size);
        boolean hasCapacityOfClass = ownedBytes == handedOut[sizeClass];
        if (hasCapacityOfClass) {
            handedOut[sizeClass] = 0;
        }
        if (closed || !Refs.isOnlyReference(ownedBytes)) {
            Refs.decref(ownedBytes);
            return;
        }
        long ownedBefore = owned[sizeClass];
        owned[sizeClass] = ownedBytes;
        if (!hasCapacityOfClass) {
            capacities[sizeClass] = size;
        }
        Refs.decrefOrNull(ownedBefore);
    }

    private static int classOf(long size) {
        return 63 - Long.numberOfLeadingZeros(size);
    }

    /** Frees what is here; nothing is kept from now on. */
    public void close() {
        closed = true;
        for (int i = 0; i < CLASSES; i++) {
            long ownedSpare = owned[i];
            owned[i] = 0;
            Refs.decrefOrNull(ownedSpare);
        }
    }
}
