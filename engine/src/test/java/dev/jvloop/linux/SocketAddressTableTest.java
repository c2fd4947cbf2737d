package dev.jvloop.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class SocketAddressTableTest {
    private final Arena arena = Arena.ofAuto();

    private long inet(String host, int port) {
        long at = arena.allocate(SocketAddress.INET6_SIZE, 8).address();
        long text = arena.allocateFrom(host).address();
        assertTrue(SocketAddress.putInternet(at, SocketAddress.AF_INET, text, port, 0, 0) > 0);
        return at;
    }

    private static boolean find(SocketAddressTable table, long address, int length) {
        return table.holds(table.placeOf(address, length), address, length);
    }

    @Test
    void anAddressIsFoundByItsBytes() {
        SocketAddressTable table = new SocketAddressTable(16, SocketAddress.INET6_SIZE);
        long address = inet("127.0.0.1", 5000);
        assertFalse(find(table, address, 16));
        int place = table.placeOf(address, 16);
        table.put(place, address, 16);
        assertTrue(find(table, inet("127.0.0.1", 5000), 16));
        assertEquals(16, table.lengthAt(place));
        assertEquals(Memory.getLong(address), Memory.getLong(table.addressAt(place)));
    }

    @Test
    void anotherIsNot() {
        SocketAddressTable table = new SocketAddressTable(1, SocketAddress.INET6_SIZE);
        table.put(0, inet("127.0.0.1", 5000), 16);
        assertFalse(table.holds(0, inet("127.0.0.1", 5001), 16));
        assertFalse(table.holds(0, inet("127.0.0.2", 5000), 16));
        assertFalse(table.holds(0, inet("127.0.0.1", 5000), 15));
    }

    @Test
    void theLastOneHasThePlace() {
        SocketAddressTable table = new SocketAddressTable(1, SocketAddress.INET6_SIZE);
        table.put(0, inet("127.0.0.1", 1), 16);
        table.put(0, inet("127.0.0.1", 2), 16);
        assertFalse(find(table, inet("127.0.0.1", 1), 16));
        assertTrue(find(table, inet("127.0.0.1", 2), 16));
    }

    @Test
    void lengthsThatAreNoMultipleOfEightCount() {
        SocketAddressTable table = new SocketAddressTable(1, SocketAddress.UNIX_SIZE);
        long path = arena.allocateFrom("/run/socket-1").address();
        long other = arena.allocateFrom("/run/socket-2").address();
        table.put(0, path, 13);
        assertTrue(table.holds(0, path, 13));
        assertFalse(table.holds(0, other, 13));
    }

    @Test
    void portsOfOneHostSpread() {
        SocketAddressTable table = new SocketAddressTable(256, SocketAddress.INET6_SIZE);
        BitSet places = new BitSet();
        for (int port = 40_000; port < 40_128; port++) {
            places.set(table.placeOf(inet("127.0.0.1", port), 16));
        }
        assertTrue(places.cardinality() > 80, () -> "128 peers have " + places.cardinality() + " places");
    }
}
