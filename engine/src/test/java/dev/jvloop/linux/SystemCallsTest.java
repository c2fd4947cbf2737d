package dev.jvloop.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SystemCallsTest {
    private static final int EPIPE = 32;
    private static final int EINVAL = 22;
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_NODELAY = 1;

    private final Descriptors descriptors = new Descriptors();
    private final SystemCalls calls = descriptors.calls;
    private final MemorySegment room = descriptors.arena.allocate(256, 16);
    private final long buffer = room.address();

    @AfterEach
    void close() {
        descriptors.close();
    }

    @Test
    void whatIsSentIsReceived() {
        int[] pair = descriptors.socketPair();
        room.setString(0, "hello");
        assertEquals(5, calls.send(pair[0], buffer, 5));
        assertEquals(3, calls.recv(pair[1], buffer + 100, 3));
        assertEquals(2, calls.recv(pair[1], buffer + 103, 100));
        assertEquals("hello", room.getString(100));
    }

    @Test
    void receivingSaysThatNothingIsThereAndThatNothingWillCome() {
        int[] pair = descriptors.socketPair();
        assertEquals(-Errno.EAGAIN, calls.recv(pair[0], buffer, 10));
        assertEquals(0, calls.shutdownWrite(pair[1]));
        assertEquals(0, calls.recv(pair[0], buffer, 10));
        assertEquals(1, calls.send(pair[0], buffer, 1), "only one direction is shut down");
    }

    @Test
    void sendingToAClosedPeerIsAnErrorAndNoSignal() {
        int[] pair = descriptors.socketPair();
        descriptors.close(pair[1]);
        assertEquals(-EPIPE, calls.send(pair[0], buffer, 1));
        assertEquals(-EPIPE, calls.sendmsg(pair[0], message("x")));
    }

    @Test
    void sendmsgGathers() {
        int[] pair = descriptors.socketPair();
        assertEquals(7, calls.sendmsg(pair[0], message("one", "", "four")));
        assertEquals("onefour", descriptors.read(pair[1]));
    }

    @Test
    void aFullSocketTakesAPartAndThenNothing() {
        int[] pair = descriptors.socketPair();
        MemorySegment large = descriptors.arena.allocate(8 << 20);
        long sent = calls.send(pair[0], large.address(), large.byteSize());
        assertTrue(sent > 0 && sent < large.byteSize(), () -> "sent " + sent);
        assertEquals(-Errno.EAGAIN, calls.send(pair[0], large.address(), large.byteSize()));
    }

    @Test
    void errnoValuesArriveNegated(@TempDir Path folder) throws Exception {
        int file = descriptors.regularFile(
                Files.writeString(folder.resolve("file"), "text").toString());
        assertEquals(-Errno.ENOTSOCK, calls.recv(file, buffer, 1));
        assertEquals(-Errno.ENOTSOCK, calls.accept4(file, 0, 0));
        assertEquals(-Errno.EBADF, calls.send(-1, buffer, 1));
        assertEquals(-Errno.EBADF, calls.close(-1));
        assertEquals(-Errno.EBADF, calls.read(-1, buffer, 1));
        assertEquals(-Errno.EBADF, calls.write(-1, buffer, 1));
        assertEquals(-Errno.EBADF, calls.getsockname(-1, buffer, buffer));
        assertEquals(-Errno.EBADF, calls.setsockopt(-1, 1, 1, buffer, 4));
        assertEquals(-Errno.EBADF, calls.shutdownWrite(-1));
        assertEquals(-Errno.EBADF, calls.epollWaitNow(-1, buffer, 1));
        assertEquals(-Errno.EBADF, calls.epollWait(-1, buffer, 1, 0));
        assertTrue(calls.epollWaitQuietly(-1, buffer, 1, 0) < 0);
        assertEquals(-EINVAL, calls.epollWaitNow(file, buffer, 1));
    }

    @Test
    void aStreamIsReceivedAndSentAsBefore() {
        int[] pair = descriptors.socketPair();
        room.setString(0, "hello");
        assertEquals(-Errno.EAGAIN, calls.recvStream(pair[1], buffer, 100));
        assertEquals(5, calls.sendStream(pair[0], buffer, 5, SystemCalls.MSG_MORE));
        assertEquals(3, calls.recvStream(pair[1], buffer + 100, 3));
        assertEquals(2, calls.recvStream(pair[1], buffer + 103, 100));
        assertEquals("hello", room.getString(100));
        assertEquals(0, calls.shutdownWrite(pair[0]));
        assertEquals(0, calls.recvStream(pair[1], buffer, 100));
        assertEquals(-EPIPE, calls.sendStream(pair[0], buffer, 1, 0));
    }

    @Test
    void aFullStreamTakesAPartAndThenNothing() {
        int[] pair = descriptors.socketPair();
        MemorySegment large = descriptors.arena.allocate(8 << 20);
        long sent = calls.sendStream(pair[0], large.address(), large.byteSize(), 0);
        assertTrue(sent > 0 && sent < large.byteSize(), () -> "sent " + sent);
        assertEquals(-Errno.EAGAIN, calls.sendStream(pair[0], large.address(), large.byteSize(), 0));
    }

    /** The second call, which a failed one makes, must not take the error for the end. */
    @Test
    void anErrorThatAStreamTellsOnceIsTold() {
        int receiving = resetConnection();
        assertEquals(-Errno.ECONNRESET, calls.recvStream(receiving, buffer, 10));
        assertEquals(0, calls.recvStream(receiving, buffer, 10));
        int sending = resetConnection();
        assertEquals(-Errno.ECONNRESET, calls.sendStream(sending, buffer, 10, 0));
        assertEquals(-EPIPE, calls.sendStream(sending, buffer, 10, 0));
    }

    /** A TCP connection whose peer closed it without having read what had come. */
    private int resetConnection() {
        int listener = descriptors.listener();
        room.set(ValueLayout.JAVA_INT, 128, 128);
        assertEquals(0, calls.getsockname(listener, buffer, buffer + 128));
        int client = descriptors.connectedTo(room.get(ValueLayout.JAVA_SHORT, 2));
        int accepted = descriptors.owned(calls.accept4(listener, 0, 0));
        assertEquals(1, calls.send(accepted, buffer, 1));
        descriptors.close(client);
        return accepted;
    }

    @Test
    void aSuccessAfterAFailureIsASuccess() {
        int[] pair = descriptors.socketPair();
        assertEquals(-Errno.EAGAIN, calls.recv(pair[0], buffer, 1));
        assertEquals(1, calls.send(pair[0], buffer, 1));
        assertEquals(0, calls.close(descriptors.duplicateFrom(pair[0], 100)));
    }

    @Test
    void anAcceptedConnectionIsNonBlockingAndKnowsItsPeer() {
        int listener = descriptors.listener();
        room.set(ValueLayout.JAVA_INT, 128, 128);
        assertEquals(0, calls.getsockname(listener, buffer, buffer + 128));
        short port = room.get(ValueLayout.JAVA_SHORT, 2);
        int client = descriptors.connectedTo(port);
        room.set(ValueLayout.JAVA_INT, 128, 128);
        int accepted = descriptors.owned(calls.accept4(listener, buffer, buffer + 128));
        assertTrue(descriptors.isNonBlocking(accepted));
        assertTrue(descriptors.isCloseOnExec(accepted));
        assertEquals(16, room.get(ValueLayout.JAVA_INT, 128));
        assertEquals(Descriptors.AF_INET, room.get(ValueLayout.JAVA_SHORT, 0));
        short peerPort = room.get(ValueLayout.JAVA_SHORT, 2);
        assertEquals(0, calls.getsockname(client, buffer, buffer + 128));
        assertEquals(peerPort, room.get(ValueLayout.JAVA_SHORT, 2));

        descriptors.write(client, "ping");
        assertEquals(4, calls.recv(accepted, buffer, 100));
        assertEquals(-Errno.EAGAIN, calls.recv(accepted, buffer, 100));
    }

    @Test
    void anOptionIsSet() {
        int client = descriptors.listener();
        assertEquals(0, descriptors.intOption(client, IPPROTO_TCP, TCP_NODELAY));
        room.set(ValueLayout.JAVA_INT, 0, 1);
        assertEquals(0, calls.setsockopt(client, IPPROTO_TCP, TCP_NODELAY, buffer, 4));
        assertTrue(descriptors.intOption(client, IPPROTO_TCP, TCP_NODELAY) != 0);
    }

    @Test
    void ownDescriptorsAreNotInherited() {
        int eventfd = descriptors.eventfd();
        assertTrue(descriptors.isCloseOnExec(eventfd));
        assertTrue(descriptors.isNonBlocking(eventfd));
        assertEquals(-Errno.EAGAIN, calls.read(eventfd, buffer, 8));
        int epoll = descriptors.owned(calls.epollCreate());
        assertTrue(descriptors.isCloseOnExec(epoll));
    }

    @Test
    void closingGivesTheNumberBack() {
        int duplicate = descriptors.duplicateFrom(descriptors.eventfd(), 200);
        assertEquals(0, calls.close(duplicate));
        assertFalse(descriptors.isOpen(duplicate));
    }

    /** Each thread's failures differ; allocation lets safepoints and collections fall between call and errno. */
    @Test
    void errnoIsTheCallersOwnWhateverOtherThreadsDo() throws Exception {
        int[] pair = descriptors.socketPair();
        int notASocket = descriptors.eventfd();
        List<Callable<Long>> failures = List.of(
                () -> failuresOtherThan(-Errno.EAGAIN, own -> own.recv(pair[0], buffer, 1)),
                () -> failuresOtherThan(-Errno.EBADF, own -> own.recv(-1, buffer, 1)),
                () -> failuresOtherThan(-Errno.ENOTSOCK, own -> own.recv(notASocket, buffer, 1)),
                () -> failuresOtherThan(-Errno.EAGAIN, own -> own.recvStream(pair[0], buffer, 1)),
                () -> failuresOtherThan(-Errno.EBADF, own -> own.sendStream(-1, buffer, 1, 0)),
                () -> failuresOtherThan(-Errno.ENOTSOCK, own -> own.recvStream(notASocket, buffer, 1)));
        try (var threads = Executors.newFixedThreadPool(failures.size())) {
            for (Future<Long> wrong : threads.invokeAll(failures)) {
                assertEquals(0, wrong.get());
            }
        }
    }

    private interface Failing {
        long call(SystemCalls own);
    }

    private static long failuresOtherThan(long expected, Failing failing) {
        SystemCalls own = new SystemCalls();
        List<byte[]> garbage = new ArrayList<>();
        long wrong = 0;
        for (int i = 0; i < 50_000; i++) {
            garbage.add(new byte[512]);
            if (garbage.size() > 1000) {
                garbage = new ArrayList<>();
            }
            if (failing.call(own) != expected) {
                wrong++;
            }
        }
        return wrong;
    }

    @Test
    void runningOutOfDescriptorsOrMemoryIsToldFromOtherFailures() {
        for (int errno : new int[] {Errno.EMFILE, Errno.ENFILE, Errno.ENOBUFS, Errno.ENOMEM}) {
            assertTrue(Errno.isOutOfResource(errno));
        }
        for (int errno : new int[] {0, Errno.EAGAIN, Errno.ECONNABORTED, Errno.EBADF}) {
            assertFalse(Errno.isOutOfResource(errno));
        }
    }

    @Test
    void aFailureThatNobodyCanHandleCarriesItsErrno() {
        assertEquals(3, SystemCallException.check("call", 3));
        SystemCallException e =
                assertThrows(SystemCallException.class, () -> SystemCallException.check("epoll_ctl", -Errno.ENOMEM));
        assertEquals(Errno.ENOMEM, e.errno());
        assertEquals("epoll_ctl failed with errno 12", e.getMessage());
    }

    private long message(String... parts) {
        MemorySegment vectors = descriptors.arena.allocate(16L * parts.length, 16);
        for (int i = 0; i < parts.length; i++) {
            vectors.set(
                    ValueLayout.JAVA_LONG,
                    16L * i,
                    descriptors.arena.allocateFrom(parts[i]).address());
            vectors.set(ValueLayout.JAVA_LONG, 16L * i + 8, parts[i].length());
        }
        MemorySegment header = descriptors.arena.allocate(56, 8);
        header.set(ValueLayout.JAVA_LONG, 16, vectors.address());
        header.set(ValueLayout.JAVA_LONG, 24, parts.length);
        return header.address();
    }
}
