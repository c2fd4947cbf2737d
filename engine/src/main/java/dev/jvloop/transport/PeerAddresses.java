package dev.jvloop.transport;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.capi.Tuples;
import dev.jvloop.capi.Unicode;
import dev.jvloop.foreign.Memory;
import dev.jvloop.linux.SocketAddress;
import dev.jvloop.linux.SocketAddressTable;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.Refs;
import dev.jvloop.py.Scratch;
import java.lang.foreign.Arena;

/**
 * The addresses of one datagram socket's peers, between struct sockaddr and what Python's socket module makes of it.
 *
 * <p>Making the tuple of an address costs more than receiving its datagram's data, so the tuples of the peers heard
 * last are kept and handed out again: they are immutable. Going the other way, the peer heard last and the address
 * sent to last are known by identity, which is as safe: only exact tuples of exact str and int are taken.
 */
final class PeerAddresses {
    /** A connected socket hears one peer. */
    private static final int PLACES_CONNECTED = 1;

    private static final int PLACES = 256;
    private static final long MAX_PORT = 0xffff;
    private static final long MAX_FLOW = 0xf_ffff;
    private static final long MAX_SCOPE = 0xffff_ffffL;

    private final int family;
    private final int places;
    private final Arena arena = Arena.ofAuto();
    private SocketAddressTable table;
    private long[] ownedObjects;
    /** The place of the peer heard last, or -1. */
    private int lastHeard = -1;

    /** Room for the address sent to last, then for the text of a host or the length of one. */
    private long encoded;

    private int encodedLength;
    private long ownedLastSent;

    private long destination;
    private int destinationLength;
    private boolean released;

    PeerAddresses(int family, boolean connected) {
        this.family = family;
        this.places = connected ? PLACES_CONNECTED : PLACES;
    }

    // ---- from the kernel to Python ----

    /** A new reference to the sender's address, which recvfrom wrote to the scratch memory. */
    long newReceived(IoScratch scratch) {
        int length = Math.min(Memory.getInt(scratch.addressLength), SocketAddress.UNIX_SIZE);
        if (length == 0) {
            // A Unix socket without a name.
            return Py.newNone();
        }
        if (table == null) {
            int longest = family == SocketAddress.AF_UNIX ? SocketAddress.UNIX_SIZE : SocketAddress.INET6_SIZE;
            table = new SocketAddressTable(places, longest);
            ownedObjects = new long[places];
        }
        int place = table.placeOf(scratch.address, length);
        if (!table.holds(place, scratch.address, length)) {
            long ownedObject = newObject(scratch.address, length);
            if (released) {
                return ownedObject;
            }
            long ownedBefore = ownedObjects[place];
            table.put(place, scratch.address, length);
            ownedObjects[place] = ownedObject;
            Refs.decrefOrNull(ownedBefore);
        }
        lastHeard = place;
        return Refs.incref(ownedObjects[place]);
    }

    private long newObject(long address, int length) {
        if (family == SocketAddress.AF_UNIX) {
            return Calls.newResult(
                    DatagramHelpers.DECODE_ADDRESS,
                    new Calls.Owned(PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(address, length))));
        }
        boolean isInet6 = family == SocketAddress.AF_INET6;
        long ownedTuple = PyErr.checked(Tuples.PyTuple_New(isInet6 ? 4 : 2));
        try (Scratch.Piece host = Scratch.take(SocketAddress.HOST_TEXT_SIZE)) {
            SocketAddress.putHostText(address, host.address());
            setItem(ownedTuple, 0, PyErr.checked(Unicode.PyUnicode_FromString(host.address())));
        }
        setItem(ownedTuple, 1, PyErr.checked(Longs.PyLong_FromLongLong(SocketAddress.port(address))));
        if (isInet6) {
            setItem(ownedTuple, 2, PyErr.checked(Longs.PyLong_FromLongLong(SocketAddress.flow(address))));
            setItem(ownedTuple, 3, PyErr.checked(Longs.PyLong_FromLongLong(SocketAddress.scope(address))));
        }
        return ownedTuple;
    }

    private static void setItem(long tuple, int index, long ownedItem) {
        Memory.putLong(Py.tupleItems(tuple) + 8L * index, ownedItem);
    }

    // ---- from Python to the kernel ----

    /**
     * Finds the struct sockaddr of an address that needs no resolver: {@link #destination} is it then, until the next
     * call here.
     *
     * @return whether it is one; what is not, {@code socket.sendto} has to judge
     */
    boolean find(long address) {
        if (lastHeard >= 0 && ownedObjects[lastHeard] == address) {
            destination = table.addressAt(lastHeard);
            destinationLength = table.lengthAt(lastHeard);
            return true;
        }
        if (address != ownedLastSent || ownedLastSent == 0) {
            forgetLastSent();
            encodedLength = encode(address);
            if (encodedLength == 0) {
                return false;
            }
            ownedLastSent = Refs.incref(address);
        }
        destination = encoded;
        destinationLength = encodedLength;
        return true;
    }

    long destination() {
        return destination;
    }

    int destinationLength() {
        return destinationLength;
    }

    private int encode(long address) {
        if (encoded == 0) {
            encoded = arena.allocate(IoScratch.SOCKADDR_SIZE + 8, 8).address();
        }
        if (family != SocketAddress.AF_UNIX) {
            return encodeInternet(address);
        }
        if (Py.isBytes(address)) {
            return SocketAddress.putUnix(encoded, Py.bytesData(address), Py.size(address));
        }
        long text = asciiOrNull(address);
        return text == 0 ? 0 : SocketAddress.putUnix(encoded, text, textLength());
    }

    private int encodeInternet(long address) {
        if (!Py.isTuple(address)) {
            return 0;
        }
        boolean isInet6 = family == SocketAddress.AF_INET6;
        long count = Py.size(address);
        if (count < 2 || count > (isInet6 ? 4 : 2)) {
            return 0;
        }
        long port = numberOrMinusOne(Py.tupleItem(address, 1), MAX_PORT);
        long flow = count < 3 ? 0 : numberOrMinusOne(Py.tupleItem(address, 2), MAX_FLOW);
        long scope = count < 4 ? 0 : numberOrMinusOne(Py.tupleItem(address, 3), MAX_SCOPE);
        if (port < 0 || flow < 0 || scope < 0) {
            return 0;
        }
        long host = asciiOrNull(Py.tupleItem(address, 0));
        if (host == 0 || textLength() >= SocketAddress.HOST_TEXT_SIZE || holdsNul(host, textLength())) {
            return 0;
        }
        return SocketAddress.putInternet(encoded, family, host, (int) port, (int) flow, (int) scope);
    }

    /** The number of an exact int from 0 to {@code max}, else -1. */
    private static long numberOrMinusOne(long object, long max) {
        if (!Py.isInt(object)) {
            return -1;
        }
        long value = Longs.PyLong_AsLongLong(object);
        if (value == -1) {
            PyErrors.PyErr_Clear();
        }
        return value > max ? -1 : Math.max(value, -1);
    }

    /** The address of an exact str's characters, if they are ASCII and no more than an address may have; else 0. */
    private long asciiOrNull(long object) {
        if (!Py.isStr(object)) {
            return 0;
        }
        long text = Unicode.PyUnicode_AsUTF8AndSize(object, encoded + IoScratch.SOCKADDR_SIZE);
        if (text == 0) {
            PyErrors.PyErr_Clear();
            return 0;
        }
        long length = textLength();
        if (length > SocketAddress.UNIX_SIZE) {
            return 0;
        }
        for (long i = 0; i < length; i++) {
            if (Memory.getByte(text + i) < 0) {
                return 0;
            }
        }
        return text;
    }

    private long textLength() {
        return Memory.getLong(encoded + IoScratch.SOCKADDR_SIZE);
    }

    private static boolean holdsNul(long text, long length) {
        for (long i = 0; i < length; i++) {
            if (Memory.getByte(text + i) == 0) {
                return true;
            }
        }
        return false;
    }

    private void forgetLastSent() {
        long owned = ownedLastSent;
        ownedLastSent = 0;
        Refs.decrefOrNull(owned);
    }

    // ---- the end ----

    /** Lets go of every address. */
    void release() {
        released = true;
        forgetLastSent();
        lastHeard = -1;
        if (table == null) {
            return;
        }
        for (long owned : ownedObjects) {
            Refs.decrefOrNull(owned);
        }
        table = null;
        ownedObjects = null;
    }
}
