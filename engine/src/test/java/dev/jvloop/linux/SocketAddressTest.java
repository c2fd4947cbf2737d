package dev.jvloop.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SocketAddressTest {
    private final Arena arena = Arena.ofAuto();
    private final long at = arena.allocate(128, 8).address();

    private int putInternet(int family, String host, int port, int flow, int scope) {
        return SocketAddress.putInternet(at, family, arena.allocateFrom(host).address(), port, flow, scope);
    }

    private String hostText() {
        long text = arena.allocate(SocketAddress.HOST_TEXT_SIZE).address();
        SocketAddress.putHostText(at, text);
        return Memory.getString(text);
    }

    private byte[] bytes(int count) {
        return Memory.segment(at, count).toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void inetIsWhatTheKernelReads() {
        assertEquals(SocketAddress.INET_SIZE, putInternet(SocketAddress.AF_INET, "127.0.0.1", 0x1234, 0, 0));
        assertArrayEquals(new byte[] {2, 0, 0x12, 0x34, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, bytes(16));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 255, 256, 32767, 32768, 65535})
    void portsComeBack(int port) {
        putInternet(SocketAddress.AF_INET, "10.20.30.40", port, 0, 0);
        assertEquals(SocketAddress.AF_INET, SocketAddress.family(at));
        assertEquals(port, SocketAddress.port(at));
        assertEquals("10.20.30.40", hostText());
    }

    @Test
    void inet6ComesBack() {
        assertEquals(SocketAddress.INET6_SIZE, putInternet(SocketAddress.AF_INET6, "fe80::1:2", 53, 0xabcde, -2));
        assertEquals(SocketAddress.AF_INET6, SocketAddress.family(at));
        assertEquals("fe80::1:2", hostText());
        assertEquals(53, SocketAddress.port(at));
        assertEquals(0xabcde, SocketAddress.flow(at));
        assertEquals(0xffff_fffeL, SocketAddress.scope(at));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost", "127.1", "0177.0.0.1", "1.2.3.256", "1.2.3.4 ", "::1", "<broadcast>"})
    void whatIsNoLiteralIsLeftToTheResolver(String host) {
        assertEquals(0, putInternet(SocketAddress.AF_INET, host, 1, 0, 0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost", "127.0.0.1", "fe80::1%lo", "1::2::3"})
    void whatIsNoInet6LiteralIsLeftToTheResolver(String host) {
        assertEquals(0, putInternet(SocketAddress.AF_INET6, host, 1, 0, 0));
    }

    @Test
    void pathsEndWithNul() {
        long path = arena.allocateFrom("/run/x").address();
        assertEquals(9, SocketAddress.putUnix(at, path, 6));
        assertArrayEquals(new byte[] {1, 0, '/', 'r', 'u', 'n', '/', 'x', 0}, bytes(9));
    }

    @Test
    void abstractNamesDoNot() {
        long name = arena.allocateFrom(ValueLayout.JAVA_BYTE, new byte[] {0, 'a', 0, 'b'})
                .address();
        assertEquals(6, SocketAddress.putUnix(at, name, 4));
        assertArrayEquals(new byte[] {1, 0, 0, 'a', 0, 'b'}, bytes(6));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        long path = arena.allocateFrom("p".repeat(120)).address();
        assertEquals(SocketAddress.UNIX_SIZE, SocketAddress.putUnix(at, path, 107));
        assertEquals(0, SocketAddress.putUnix(at, path, 108));
        long name = arena.allocate(120).address();
        assertEquals(SocketAddress.UNIX_SIZE, SocketAddress.putUnix(at, name, 108));
        assertEquals(0, SocketAddress.putUnix(at, name, 109));
        assertEquals(0, SocketAddress.putUnix(at, path, 0));
    }
}
