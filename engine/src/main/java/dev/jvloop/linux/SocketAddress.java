package dev.jvloop.linux;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Memory;

/**
 * Reading and writing struct sockaddr in native memory (netinet/in.h, sys/un.h; ports and flow information are in
 * network byte order there). Text is turned into addresses and back by the C library's inet_pton and inet_ntop, which
 * Python's socket module uses too: what one takes for a literal the other does.
 */
public final class SocketAddress {
    public static final int AF_UNIX = 1;
    public static final int AF_INET = 2;
    public static final int AF_INET6 = 10;

    /** sizeof(struct sockaddr_in) */
    public static final int INET_SIZE = 16;
    /** sizeof(struct sockaddr_in6) */
    public static final int INET6_SIZE = 28;
    /** sizeof(struct sockaddr_un) */
    public static final int UNIX_SIZE = 110;
    /** INET6_ADDRSTRLEN: room for the text of any host address with its NUL. */
    public static final int HOST_TEXT_SIZE = 46;

    /** offsetof(struct sockaddr_un, sun_path) */
    public static final int PATH = 2;

    private static final int PORT = 2;
    private static final int INET_HOST = 4;
    private static final int INET6_FLOW = 4;
    private static final int INET6_HOST = 8;
    private static final int INET6_SCOPE = 24;

    private static final CFunction INET_PTON = Downcall.critical("inet_pton");
    private static final CFunction INET_NTOP = Downcall.critical("inet_ntop");

    private SocketAddress() {}

    /**
     * Writes a struct sockaddr_in or sockaddr_in6.
     *
     * @param family {@link #AF_INET} or {@link #AF_INET6}
     * @param host address of the host's NUL-terminated text
     * @param flow flow information, for IPv6 alone
     * @param scope scope id, for IPv6 alone
     * @return the length, or 0 if the host is not an address literal of the family
     */
    public static int putInternet(long at, int family, long host, int port, int flow, int scope) {
        boolean isInet6 = family == AF_INET6;
        Memory.putLong(at, 0);
        Memory.putLong(at + 8, 0);
        if (!isLiteral(family, host, at + (isInet6 ? INET6_HOST : INET_HOST))) {
            return 0;
        }
        Memory.putShort(at, (short) family);
        Memory.putShort(at + PORT, bigEndian((short) port));
        if (!isInet6) {
            return INET_SIZE;
        }
        Memory.putInt(at + INET6_FLOW, bigEndian(flow));
        Memory.putInt(at + INET6_SCOPE, scope);
        return INET6_SIZE;
    }

    private static boolean isLiteral(int family, long host, long destination) {
        return (int) INET_PTON.call(family, host, destination) == 1;
    }

    /**
     * Writes a struct sockaddr_un.
     *
     * @param path address of the path, or of the name in the abstract namespace, which begins with NUL
     * @return the length, or 0 if the path does not fit or is empty
     */
    public static int putUnix(long at, long path, long length) {
        int room = UNIX_SIZE - PATH;
        if (length == 0 || length > room) {
            return 0;
        }
        boolean isAbstract = Memory.getByte(path) == 0;
        if (!isAbstract && length == room) {
            return 0;
        }
        Memory.putShort(at, (short) AF_UNIX);
        Memory.copy(path, at + PATH, length);
        if (isAbstract) {
            return PATH + (int) length;
        }
        Memory.putByte(at + PATH + length, (byte) 0);
        return PATH + (int) length + 1;
    }

    public static int family(long at) {
        return Memory.getShort(at);
    }

    public static int port(long at) {
        return bigEndian(Memory.getShort(at + PORT)) & 0xffff;
    }

    public static int flow(long at) {
        return bigEndian(Memory.getInt(at + INET6_FLOW));
    }

    /** An unsigned number of 32 bits. */
    public static long scope(long at) {
        return Integer.toUnsignedLong(Memory.getInt(at + INET6_SCOPE));
    }

    /** Writes the NUL-terminated text of the host into {@link #HOST_TEXT_SIZE} bytes at {@code text}. */
    public static void putHostText(long at, long text) {
        int family = family(at);
        INET_NTOP.call(family, at + (family == AF_INET6 ? INET6_HOST : INET_HOST), text, HOST_TEXT_SIZE);
    }

    private static short bigEndian(short value) {
        return Short.reverseBytes(value);
    }

    private static int bigEndian(int value) {
        return Integer.reverseBytes(value);
    }
}
