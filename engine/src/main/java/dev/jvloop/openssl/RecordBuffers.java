package dev.jvloop.openssl;

import java.lang.foreign.Arena;
import java.util.Arrays;

/**
 * The memory that all TLS connections of one loop share: records and plaintext stay in it for the time of one call into
 * OpenSSL. So an idle connection holds no buffer but what OpenSSL itself keeps.
 */
public final class RecordBuffers {
    /** Room for the plaintext of small reads, in bytes: two records of the largest size and what one may leave over. */
    public static final int PLAINTEXT_SIZE = 48 * 1024;

    private static final int LARGEST_KEPT = 1024 * 1024;

    private final Arena arena = Arena.ofAuto();
    private final long shown = arena.allocate(BufMem.SIZE, 8).address();

    /** {@link #PLAINTEXT_SIZE} bytes. */
    public final long plaintext = arena.allocate(PLAINTEXT_SIZE, 64).address();

    private boolean plaintextInUse;

    private long[] freeOutputs = new long[4];
    private int freeOutputCount;
    private boolean closed;

    /** Whether nobody is decrypting into {@link #plaintext}: OpenSSL may call back into Python, which may read on. */
    public boolean plaintextIsFree() {
        return !plaintextInUse;
    }

    public void usePlaintext(boolean inUse) {
        plaintextInUse = inUse;
    }

    /** Records on their way out: what OpenSSL writes into a lent BIO. */
    public final class Output implements AutoCloseable {
        private final MemoryBio bio;
        private final long buffer;
        private long own;

        private Output(MemoryBio bio) {
            this.bio = bio;
            this.buffer = takeBuffer();
            this.own = bio.lend(buffer);
        }

        public long address() {
            return BufMem.data(buffer);
        }

        public long size() {
            return BufMem.length(buffer);
        }

        /** The BIO gets its own buffer back; the records stay until {@link #close}. */
        public void finish() {
            if (own != 0) {
                bio.giveBack(own);
                own = 0;
            }
        }

        /** The records are gone. */
        @Override
        public void close() {
            finish();
            returnBuffer(buffer);
        }
    }

    /**
     * Begins to collect what OpenSSL writes into a BIO that has nothing pending. Several may be open at once: OpenSSL may
     * call back into Python, which may write to another connection.
     */
    public Output collect(MemoryBio bio) {
        return new Output(bio);
    }

    private long takeBuffer() {
        long buffer = freeOutputCount > 0 ? freeOutputs[--freeOutputCount] : OpenSsl.BUF_MEM_new();
        if (buffer == 0) {
            throw new OutOfMemoryError("no memory for TLS records");
        }
        return buffer;
    }

    private void returnBuffer(long buffer) {
        if (closed || BufMem.capacity(buffer) > LARGEST_KEPT) {
            OpenSsl.BUF_MEM_free(buffer);
            return;
        }
        BufMem.setLength(buffer, 0);
        if (freeOutputCount == freeOutputs.length) {
            freeOutputs = Arrays.copyOf(freeOutputs, freeOutputs.length * 2);
        }
        freeOutputs[freeOutputCount++] = buffer;
    }

    /**
     * Makes a BIO that has nothing pending show received records where they lie. OpenSSL only reads them.
     *
     * @return for {@link #stopShowing}
     */
    public long show(MemoryBio bio, long address, int count) {
        BufMem.show(shown, address, count);
        return bio.lend(shown);
    }

    /**
     * Ends what {@link #show} began; what OpenSSL did not read is copied into the BIO's own buffer.
     *
     * @param address as for {@link #show}
     * @param count as for {@link #show}
     */
    public void stopShowing(MemoryBio bio, long own, long address, int count) {
        int unread = bio.pending();
        bio.giveBack(own);
        if (unread > 0) {
            bio.append(address + count - unread, unread);
        }
    }

    /** Frees what OpenSSL allocated. */
    public void close() {
        closed = true;
        while (freeOutputCount > 0) {
            OpenSsl.BUF_MEM_free(freeOutputs[--freeOutputCount]);
        }
    }
}
