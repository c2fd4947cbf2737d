package dev.jvloop.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.Interest;
import dev.jvloop.ListeningSocket;
import dev.jvloop.Reactor;
import dev.jvloop.linux.SystemCalls;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Listening sockets that Java opens, without Python. */
class TcpListenerTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(LOOPBACK, 0);

    @Test
    void aConnectionIsAcceptedWhenThereIsOne() throws IOException {
        try (ListeningSocket listener = ListeningSocket.bind(ANY_PORT);
                Reactor reactor = Reactor.open()) {
            assertEquals(LOOPBACK, listener.address().getAddress());
            assertTrue(listener.address().getPort() > 0);
            assertEquals(OptionalInt.empty(), listener.accept());
            List<Integer> accepted = new ArrayList<>();
            reactor.register(
                    listener.fd(),
                    Interest.READ,
                    (registration, ready) -> accepted.add(listener.accept().orElseThrow()));
            try (Socket client = new Socket(
                    listener.address().getAddress(), listener.address().getPort())) {
                while (accepted.isEmpty()) {
                    reactor.runOnce();
                }
                new SystemCalls().close(accepted.getFirst());
                assertEquals(-1, client.getInputStream().read());
            }
        }
    }

    @Test
    void anAddressInUseIsSaid() throws IOException {
        try (ListeningSocket listener = ListeningSocket.bind(ANY_PORT)) {
            BindException e = assertThrows(BindException.class, () -> ListeningSocket.bind(listener.address()));
            assertEquals(listener.address() + ": address already in use", e.getMessage());
        }
        InetSocketAddress foreign =
                new InetSocketAddress(InetAddress.getByAddress(new byte[] {(byte) 192, 0, 2, 1}), 0);
        BindException e = assertThrows(BindException.class, () -> ListeningSocket.bind(foreign));
        assertTrue(e.getMessage().endsWith("not an address of this machine"), e::getMessage);
        InetSocketAddress unresolved = InetSocketAddress.createUnresolved("localhost", 0);
        assertThrows(IllegalArgumentException.class, () -> ListeningSocket.bind(unresolved));
    }

    @Test
    void inet6IsAnAddressToo() throws IOException {
        InetAddress six = InetAddress.getByAddress(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
        Assumptions.assumeTrue(NetworkInterface.getByInetAddress(six) != null, "this machine has no ::1");
        try (ListeningSocket listener = ListeningSocket.bind(new InetSocketAddress(six, 0));
                Socket client = new Socket(six, listener.address().getPort())) {
            assertTrue(client.isConnected());
        }
    }

    @Test
    void closedItIsOfNoUse() throws IOException {
        ListeningSocket listener = ListeningSocket.bind(ANY_PORT);
        int port = listener.address().getPort();
        listener.close();
        listener.close();
        assertThrows(IllegalStateException.class, listener::fd);
        assertThrows(IllegalStateException.class, listener::accept);
        assertThrows(ConnectException.class, () -> {
            try (Socket client = new Socket(LOOPBACK, port)) {
                assertFalse(client.isConnected());
            }
        });
    }
}
