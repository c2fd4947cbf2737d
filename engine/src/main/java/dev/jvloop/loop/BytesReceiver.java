package dev.jvloop.loop;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;

/**
 * Receives from one socket, into bytes objects; {@link #fetch} is overridden for what is read by another system call.
 *
 * <p>Small messages come through the loop's read buffer and are copied into a bytes object of their exact size. After
 * a read of {@value #LARGE} bytes or more the next ones go straight into a bytes object as large as what is asked for,
 * which is then cut: the copy would cost more than the reallocation. That ends with a read of less than {@value #SMALL}
 * bytes; what lies between is the rest of a large message as a rule.
 */
public class BytesReceiver {
    private static final int LARGE = 48 * 1024;
    private static final int SMALL = 16 * 1024;

    protected final EventLoop loop;
    private boolean receivesLarge;
    private long ownedBytes;
    private long received;

    public BytesReceiver(EventLoop loop) {
        this.loop = loop;
    }

    /** The system call: the kernel's result, or {@code -errno}. */
    protected long fetch(int fd, long address, long length) {
        return loop.calls().recv(fd, address, length);
    }

    /**
     * Receives what is there; the result is the kernel's. After a positive one {@link #takeOwnedBytes} follows; after 0 it may,
     * and gives an empty object.
     *
     * @param most how many bytes at most, up to {@link IoScratch#READ_SIZE}
     */
    public long receive(int fd, long most) {
        if (receivesLarge && most >= LARGE) {
            return receiveLarge(fd, most);
        }
        received = fetch(fd, loop.scratch().readBuffer, most);
        noteSize();
        return received;
    }

    /** The received data: an owned reference to a bytes object. Who lets go of it first may {@link #giveBack} it. */
    public long takeOwnedBytes() {
        if (ownedBytes == 0) {
            return loop.scratch().spareBytes.newCopy(loop.scratch().readBuffer, received);
        }
        long owned = ownedBytes;
        ownedBytes = 0;
        return owned;
    }

    /** Releases what {@link #takeOwnedBytes} gave, for the next data. */
    public void giveBack(long ownedData) {
        loop.scratch().spareBytes.giveBack(ownedData);
    }

    private void noteSize() {
        if (received >= LARGE) {
            receivesLarge = true;
            loop.noteLargeMessage();
        } else if (received >= 0 && received < SMALL) {
            receivesLarge = false;
        }
    }

    private long receiveLarge(int fd, long most) {
        long ownedRoom = PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(0, most));
        received = fetch(fd, Py.bytesData(ownedRoom), most);
        noteSize();
        long owned = loop.scratch().newShortened(ownedRoom, Math.max(received, 0));
        if (received > 0) {
            ownedBytes = owned;
        } else {
            Refs.decref(owned);
        }
        return received;
    }
}
