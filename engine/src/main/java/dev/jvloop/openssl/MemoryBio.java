package dev.jvloop.openssl;

import dev.jvloop.foreign.Memory;

/**
 * A memory BIO ({@code BIO_s_mem}): one of the two that an {@code ssl.SSLObject} reads its records from and writes them
 * to.
 *
 * <p>The way in and out of such a BIO is a copy. {@link #lend} saves it: for the time of one call into OpenSSL the BIO
 * works on a buffer of the loop's instead of its own, so that records are decrypted from where the kernel put them and
 * sent from where OpenSSL wrote them. {@link #giveBack} restores the BIO's own buffer, so that between two calls it is
 * what the {@code ssl} module made.
 *
 * @see <a href="https://docs.openssl.org/3.0/man3/BIO_s_mem/">BIO_s_mem(3)</a>
 */
public final class MemoryBio {
    private static final int BIO_CTRL_INFO = 3;
    private static final int BIO_CTRL_SET_CLOSE = 9;
    private static final int BIO_CTRL_PENDING = 10;
    private static final int BIO_C_SET_BUF_MEM = 114;
    private static final int BIO_C_GET_BUF_MEM_PTR = 115;
    private static final int BIO_NOCLOSE = 0;
    private static final int BIO_CLOSE = 1;

    /** Borrowed: it belongs to the SSL, which belongs to the ssl.SSLObject. */
    private final long bio;

    /** One word of native memory for results. */
    private final long word;

    /** @param word address of eight bytes that outlive this object, for results */
    public MemoryBio(long bio, long word) {
        this.bio = bio;
        this.word = word;
    }

    /** Bytes that are there to be read. */
    public int pending() {
        return (int) OpenSsl.BIO_ctrl(bio, BIO_CTRL_PENDING, 0, 0);
    }

    /** Copies bytes in. */
    public void append(long address, int count) {
        int written = OpenSsl.BIO_write(bio, address, count);
        if (written != count) {
            throw new OutOfMemoryError("no memory for " + count + " bytes of TLS records");
        }
    }

    /** Address of the pending bytes, valid until the BIO is used again. */
    public long address() {
        OpenSsl.BIO_ctrl(bio, BIO_CTRL_INFO, 0, word);
        return Memory.getLong(word);
    }

    /** Copies {@code count} pending bytes out, and drops them here. */
    public void take(long address, int count) {
        OpenSsl.BIO_read(bio, address, count);
    }

    /**
     * Makes the BIO, which must have nothing pending, work on another buffer.
     *
     * @param buffer address of a {@code BUF_MEM}; its content is what is pending from now on
     * @return the BIO's own buffer, for {@link #giveBack}
     */
    long lend(long buffer) {
        OpenSsl.BIO_ctrl(bio, BIO_CTRL_SET_CLOSE, BIO_NOCLOSE, 0);
        OpenSsl.BIO_ctrl(bio, BIO_C_GET_BUF_MEM_PTR, 0, word);
        long own = Memory.getLong(word);
        // What was read from it counts as read in the BIO only, not in the buffer.
        BufMem.setLength(own, 0);
        OpenSsl.BIO_ctrl(bio, BIO_C_SET_BUF_MEM, BIO_NOCLOSE, buffer);
        return own;
    }

    /** Ends what {@link #lend} began; what is pending then is lost to the BIO. */
    void giveBack(long own) {
        OpenSsl.BIO_ctrl(bio, BIO_C_SET_BUF_MEM, BIO_CLOSE, own);
    }
}
