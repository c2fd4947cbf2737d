package dev.jvloop.transport;

import dev.jvloop.capi.ByteStrings;
import dev.jvloop.foreign.Memory;
import dev.jvloop.loop.EventLoop;
import dev.jvloop.loop.IoScratch;
import dev.jvloop.py.PyErr;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The two addresses of an accepted connection, as the kernel gave them: struct sockaddr bytes. Python decodes them
 * when a protocol first asks, which many never do.
 */
record SocketAddresses(byte[] local, byte[] peer) {
    /** Whether this is a TCP connection, for which Nagle's algorithm is switched off. */
    boolean isInternet() {
        int family = local.length < 2 ? 0 : local[0] & 0xff;
        return family == AF_INET || family == AF_INET6;
    }

    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;

    /** Copies the address that the kernel has just written to the loop's scratch memory. */
    static byte[] copyFrom(IoScratch scratch) {
        int length = Math.min(Memory.getInt(scratch.addressLength), IoScratch.SOCKADDR_SIZE);
        return Memory.bytes(scratch.address, length);
    }

    /** The address that a descriptor is bound to; empty if the kernel does not say. */
    static byte[] localOf(EventLoop loop, int fd) {
        IoScratch scratch = loop.scratch();
        Memory.putInt(scratch.addressLength, IoScratch.SOCKADDR_SIZE);
        int result = loop.calls().getsockname(fd, scratch.address, scratch.addressLength);
        return result < 0 ? new byte[0] : copyFrom(scratch);
    }

    /** A new reference to a bytes object that holds an address. */
    static long newBytes(byte[] address) {
        try (java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(Math.max(1, address.length));
            MemorySegment.copy(address, 0, copy, ValueLayout.JAVA_BYTE, 0, address.length);
            return PyErr.checked(ByteStrings.PyBytes_FromStringAndSize(copy.address(), address.length));
        }
    }
}
