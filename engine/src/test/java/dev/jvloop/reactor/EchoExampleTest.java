package dev.jvloop.reactor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** {@code examples/ReactorEcho.java}, run as its first lines say. */
class EchoExampleTest {
    private static Process program;
    private static int port;

    @BeforeAll
    static void start() throws Exception {
        program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        Path.of(EpollReactor.class
                                        .getProtectionDomain()
                                        .getCodeSource()
                                        .getLocation()
                                        .toURI())
                                .toString(),
                        Path.of("..", "examples", "ReactorEcho.java").toString())
                .redirectErrorStream(true)
                .start();
        BufferedReader output = program.inputReader();
        String line = output.readLine();
        assertTrue(line != null && line.startsWith("listening on 127.0.0.1:"), line);
        port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
    }

    @AfterAll
    static void end() throws InterruptedException {
        if (program != null) {
            program.destroy();
            program.waitFor();
        }
    }

    private static Socket connect() throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), port);
    }

    @Test
    void eachClientGetsItsOwnBack() throws IOException {
        List<Socket> clients = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            clients.add(connect());
        }
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < clients.size(); i++) {
                clients.get(i).getOutputStream().write(i + round);
            }
            for (int i = 0; i < clients.size(); i++) {
                assertEquals(i + round, clients.get(i).getInputStream().read());
            }
        }
        for (Socket client : clients) {
            client.shutdownOutput();
            assertEquals(-1, client.getInputStream().read());
            client.close();
        }
    }

    @Test
    void aClientThatReadsLaterGetsEverything() throws Exception {
        byte[] data = new byte[40_000_000];
        new SplittableRandom(3).nextBytes(data);
        try (Socket client = connect();
                Socket other = connect()) {
            // More than the sockets' buffers hold: it ends when the client below reads.
            Thread writer = Thread.ofVirtual().start(() -> {
                try {
                    client.getOutputStream().write(data);
                    client.shutdownOutput();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            for (int i = 0; i < 100; i++) {
                other.getOutputStream().write(i);
                assertEquals(i, other.getInputStream().read());
            }
            assertTrue(writer.isAlive());
            assertArrayEquals(data, client.getInputStream().readAllBytes());
            writer.join();
        }
    }
}
