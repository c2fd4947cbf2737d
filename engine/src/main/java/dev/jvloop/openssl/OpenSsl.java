package dev.jvloop.openssl;

import dev.jvloop.capi.Downcall;
import dev.jvloop.py.Namespace;
import java.lang.invoke.MethodHandle;

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

    private static final MethodHandle SSL_READ = plain("SSL_read");
    private static final MethodHandle SSL_WRITE = plain("SSL_write");
    private static final MethodHandle SSL_DO_HANDSHAKE = plain("SSL_do_handshake");
    private static final MethodHandle SSL_SHUTDOWN = plain("SSL_shutdown");
    private static final MethodHandle SSL_GET_ERROR = critical("SSL_get_error");
    private static final MethodHandle SSL_HAS_PENDING = critical("SSL_has_pending");
    private static final MethodHandle SSL_IS_SERVER = critical("SSL_is_server");
    private static final MethodHandle SSL_GET_RBIO = critical("SSL_get_rbio");
    private static final MethodHandle SSL_GET_WBIO = critical("SSL_get_wbio");
    private static final MethodHandle SSL_GET_SSL_CTX = critical("SSL_get_SSL_CTX");
    private static final MethodHandle SSL_GET_EX_DATA = critical("SSL_get_ex_data");
    private static final MethodHandle BIO_CTRL = critical("BIO_ctrl");
    private static final MethodHandle BIO_WRITE = critical("BIO_write");
    private static final MethodHandle BIO_READ = critical("BIO_read");
    private static final MethodHandle BUF_MEM_NEW = critical("BUF_MEM_new");
    private static final MethodHandle BUF_MEM_FREE = critical("BUF_MEM_free");
    private static final MethodHandle ERR_CLEAR_ERROR = critical("ERR_clear_error");

    private OpenSsl() {}

    private static long address(String name) {
        return Namespace.integer("openssl." + name);
    }

    private static MethodHandle plain(String name) {
        return Downcall.plainAt(name, address(name));
    }

    private static MethodHandle critical(String name) {
        return Downcall.criticalAt(name, address(name));
    }

    public static int SSL_read(long ssl, long buffer, int count) {
        try {
            return (int) (long) SSL_READ.invokeExact(ssl, buffer, (long) count, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int SSL_write(long ssl, long buffer, int count) {
        try {
            return (int) (long) SSL_WRITE.invokeExact(ssl, buffer, (long) count, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int SSL_do_handshake(long ssl) {
        try {
            return (int) (long) SSL_DO_HANDSHAKE.invokeExact(ssl, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int SSL_shutdown(long ssl) {
        try {
            return (int) (long) SSL_SHUTDOWN.invokeExact(ssl, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int SSL_get_error(long ssl, int result) {
        try {
            return (int) (long) SSL_GET_ERROR.invokeExact(ssl, (long) result, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int SSL_has_pending(long ssl) {
        try {
            return (int) (long) SSL_HAS_PENDING.invokeExact(ssl, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int SSL_is_server(long ssl) {
        try {
            return (int) (long) SSL_IS_SERVER.invokeExact(ssl, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long SSL_get_rbio(long ssl) {
        try {
            return (long) SSL_GET_RBIO.invokeExact(ssl, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long SSL_get_wbio(long ssl) {
        try {
            return (long) SSL_GET_WBIO.invokeExact(ssl, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long SSL_get_SSL_CTX(long ssl) {
        try {
            return (long) SSL_GET_SSL_CTX.invokeExact(ssl, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long SSL_get_ex_data(long ssl, int index) {
        try {
            return (long) SSL_GET_EX_DATA.invokeExact(ssl, (long) index, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long BIO_ctrl(long bio, int command, long number, long pointer) {
        try {
            return (long) BIO_CTRL.invokeExact(bio, (long) command, number, pointer);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int BIO_write(long bio, long data, int count) {
        try {
            return (int) (long) BIO_WRITE.invokeExact(bio, data, (long) count, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static int BIO_read(long bio, long buffer, int count) {
        try {
            return (int) (long) BIO_READ.invokeExact(bio, buffer, (long) count, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long BUF_MEM_new() {
        try {
            return (long) BUF_MEM_NEW.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void BUF_MEM_free(long buffer) {
        try {
            long _ = (long) BUF_MEM_FREE.invokeExact(buffer, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static void ERR_clear_error() {
        try {
            long _ = (long) ERR_CLEAR_ERROR.invokeExact(0L, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
