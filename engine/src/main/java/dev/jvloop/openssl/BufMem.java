package dev.jvloop.openssl;

import dev.jvloop.foreign.Memory;

/** Fields of a {@code BUF_MEM}, which buffer.h makes public: length, data, max, each one word. */
final class BufMem {
    static final long SIZE = 32;
    private static final long DATA = 8;
    private static final long MAX = 16;

    private BufMem() {}

    static long length(long buffer) {
        return Memory.getLong(buffer);
    }

    static void setLength(long buffer, long value) {
        Memory.putLong(buffer, value);
    }

    /** Address of the first byte. */
    static long data(long buffer) {
        return Memory.getLong(buffer + DATA);
    }

    /** Bytes allocated. */
    static long capacity(long buffer) {
        return Memory.getLong(buffer + MAX);
    }

    /** Makes {@code buffer} show memory that is not OpenSSL's. OpenSSL must not write to it. */
    static void show(long buffer, long address, long count) {
        Memory.putLong(buffer, count);
        Memory.putLong(buffer + DATA, address);
        Memory.putLong(buffer + MAX, count);
    }
}
