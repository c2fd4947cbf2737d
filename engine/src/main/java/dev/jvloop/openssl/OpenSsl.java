package dev.jvloop.openssl;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import dev.jvloop.py.Namespace;

/**
 * The functions of OpenSSL that the record layer calls, under C's names, each with what OpenSSL's manual page of that
 * name says.
 *
 * <p>Bound by the addresses that the Python package found in the very library that the {@code _ssl} module is linked
 * with: a process may have more than one libssl, and an {@code SSL} belongs to one of them.
 *
 * <p>What may call back is a plain downcall: in a handshake, and on any record, OpenSSL may call Python functions that
 * a program put on its context (SNI, key log, message and PSK callbacks). The caller holds the GIL throughout; the
 * {@code _ssl} module takes it again for each callback, which is then no wait.
 */
public final class OpenSsl {
    /** Results of {@link #SSL_get_error}. */
    public static final int SSL_ERROR_SSL = 1;

    public static final int SSL_ERROR_WANT_READ = 2;
    public static final int SSL_ERROR_WANT_WRITE = 3;
    public static final int SSL_ERROR_SYSCALL = 5;
    public static final int SSL_ERROR_ZERO_RETURN = 6;

    private static final CFunction SSL_READ = plain("SSL_read");
    private static final CFunction SSL_WRITE = plain("SSL_write");
    private static final CFunction SSL_DO_HANDSHAKE = plain("SSL_do_handshake");
    private static final CFunction SSL_SHUTDOWN = plain("SSL_shutdown");
    private static final CFunction SSL_GET_ERROR = critical("SSL_get_error");
    private static final CFunction SSL_HAS_PENDING = critical("SSL_has_pending");
    private static final CFunction SSL_IS_SERVER = critical("SSL_is_server");
    private static final CFunction SSL_GET_RBIO = critical("SSL_get_rbio");
    private static final CFunction SSL_GET_WBIO = critical("SSL_get_wbio");
    private static final CFunction SSL_GET_SSL_CTX = critical("SSL_get_SSL_CTX");
    private static final CFunction SSL_GET_EX_DATA = critical("SSL_get_ex_data");
    private static final CFunction BIO_CTRL = critical("BIO_ctrl");
    private static final CFunction BIO_WRITE = critical("BIO_write");
    private static final CFunction BIO_READ = critical("BIO_read");
    private static final CFunction BUF_MEM_NEW = critical("BUF_MEM_new");
    private static final CFunction BUF_MEM_FREE = critical("BUF_MEM_free");
    private static final CFunction ERR_CLEAR_ERROR = critical("ERR_clear_error");

    private OpenSsl() {}

    private static long address(String name) {
        return Namespace.integer("openssl." + name);
    }

    private static CFunction plain(String name) {
        return Downcall.plainAt(name, address(name));
    }

    private static CFunction critical(String name) {
        return Downcall.criticalAt(name, address(name));
    }

    public static int SSL_read(long ssl, long buffer, int count) {
        return (int) SSL_READ.call(ssl, buffer, count);
    }

    public static int SSL_write(long ssl, long buffer, int count) {
        return (int) SSL_WRITE.call(ssl, buffer, count);
    }

    public static int SSL_do_handshake(long ssl) {
        return (int) SSL_DO_HANDSHAKE.call(ssl);
    }

    public static int SSL_shutdown(long ssl) {
        return (int) SSL_SHUTDOWN.call(ssl);
    }

    public static int SSL_get_error(long ssl, int result) {
        return (int) SSL_GET_ERROR.call(ssl, result);
    }

    public static int SSL_has_pending(long ssl) {
        return (int) SSL_HAS_PENDING.call(ssl);
    }

    public static int SSL_is_server(long ssl) {
        return (int) SSL_IS_SERVER.call(ssl);
    }

    public static long SSL_get_rbio(long ssl) {
        return SSL_GET_RBIO.call(ssl);
    }

    public static long SSL_get_wbio(long ssl) {
        return SSL_GET_WBIO.call(ssl);
    }

    public static long SSL_get_SSL_CTX(long ssl) {
        return SSL_GET_SSL_CTX.call(ssl);
    }

    public static long SSL_get_ex_data(long ssl, int index) {
        return SSL_GET_EX_DATA.call(ssl, index);
    }

    public static long BIO_ctrl(long bio, int command, long number, long pointer) {
        return BIO_CTRL.call(bio, command, number, pointer);
    }

    public static int BIO_write(long bio, long data, int count) {
        return (int) BIO_WRITE.call(bio, data, count);
    }

    public static int BIO_read(long bio, long buffer, int count) {
        return (int) BIO_READ.call(bio, buffer, count);
    }

    public static long BUF_MEM_new() {
        return BUF_MEM_NEW.call();
    }

    public static void BUF_MEM_free(long buffer) {
        BUF_MEM_FREE.call(buffer);
    }

    public static void ERR_clear_error() {
        ERR_CLEAR_ERROR.call();
    }
}
