package dev.jvloop.linux;

import dev.jvloop.benchmark.EngineBenchmark;
import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Addresses from text and to text, and the table in which datagrams look for their peers. */
@State(Scope.Thread)
public class SocketAddressBenchmark extends EngineBenchmark {
    private static final int PORT = 8080;
    private static final int PLACES = 1024;
    private static final int PEERS = 256;

    private final Arena arena = Arena.ofAuto();
    private final long at = arena.allocate(SocketAddress.UNIX_SIZE, 8).address();
    private final long text = arena.allocate(SocketAddress.HOST_TEXT_SIZE).address();
    private final long inetText = arena.allocateFrom("192.168.100.200").address();
    private final long inet6Text =
            arena.allocateFrom("2001:db8:85a3::8a2e:370:7334").address();
    private final long name = arena.allocateFrom("localhost").address();
    private final long inet = arena.allocate(SocketAddress.INET_SIZE, 8).address();
    private final long inet6 = arena.allocate(SocketAddress.INET6_SIZE, 8).address();
    private final SocketAddressTable table = new SocketAddressTable(PLACES, SocketAddress.INET6_SIZE);
    private final long[] peers = new long[PEERS];
    private int peer;

    /** Makes the addresses that are formatted and looked for. */
    public SocketAddressBenchmark() {
        putInet(inet, inetText, PORT);
        SocketAddress.putInternet(inet6, SocketAddress.AF_INET6, inet6Text, PORT, 0, 0);
        for (int i = 0; i < PEERS; i++) {
            peers[i] = arena.allocate(SocketAddress.INET_SIZE, 8).address();
            int length = putInet(peers[i], inetText, 40_000 + i);
            table.put(table.placeOf(peers[i], length), peers[i], length);
        }
    }

    private static int putInet(long at, long host, int port) {
        return SocketAddress.putInternet(at, SocketAddress.AF_INET, host, port, 0, 0);
    }

    @Benchmark
    public int parseInet() {
        return putInet(at, inetText, PORT);
    }

    @Benchmark
    public int parseInet6() {
        return SocketAddress.putInternet(at, SocketAddress.AF_INET6, inet6Text, PORT, 0, 0);
    }

    /** What is no literal, and goes to the resolver. */
    @Benchmark
    public int parseName() {
        return putInet(at, name, PORT);
    }

    @Benchmark
    public byte formatInet() {
        SocketAddress.putHostText(inet, text);
        return Memory.getByte(text);
    }

    @Benchmark
    public byte formatInet6() {
        SocketAddress.putHostText(inet6, text);
        return Memory.getByte(text);
    }

    /** The peer of a datagram, one of 256 that came before. */
    @Benchmark
    public boolean findPeer() {
        peer = peer + 1 & PEERS - 1;
        long address = peers[peer];
        return table.holds(table.placeOf(address, SocketAddress.INET_SIZE), address, SocketAddress.INET_SIZE);
    }
}
