package dev.jvloop.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PollerTest {
    private static final int BOTH = Poller.READ | Poller.WRITE;
    private static final long FOREVER = -1;

    private final Descriptors descriptors = new Descriptors();
    private final Poller poller = new Poller(descriptors.calls);

    @AfterEach
    void close() {
        poller.close();
        descriptors.close();
    }

    /** Notes what it is told. */
    private static final class Recorder implements FdHandler {
        private final List<Integer> told = new ArrayList<>();

        @Override
        public void onReady(int events) {
            told.add(events);
        }

        private List<Integer> take() {
            List<Integer> taken = List.copyOf(told);
            told.clear();
            return taken;
        }
    }

    private final Recorder recorder = new Recorder();

    private List<Integer> polled() {
        poller.pollNow();
        return recorder.take();
    }

    @Test
    void aReaderIsToldForAsLongAsThereIsSomethingToRead() {
        int[] pair = descriptors.socketPair();
        assertEquals(0, poller.watch(pair[0], Poller.READ, recorder));
        assertEquals(List.of(), polled());
        descriptors.write(pair[1], "x");
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(Poller.READ), polled());
        assertEquals("x", descriptors.read(pair[0]));
        assertEquals(List.of(), polled());
    }

    /** A recorder that is told once of what has come. */
    private static final class Reader implements FdHandler {
        private final Recorder recorder;

        Reader(Recorder recorder) {
            this.recorder = recorder;
        }

        @Override
        public void onReady(int events) {
            recorder.onReady(events);
        }

        @Override
        public boolean readsAll() {
            return true;
        }
    }

    @Test
    void aHandlerThatReadsAllIsToldOnceOfEachArrival() {
        int[] pair = descriptors.socketPair();
        assertEquals(0, poller.watch(pair[0], Poller.READ, new Reader(recorder)));
        descriptors.write(pair[1], "x");
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(), polled());
        descriptors.write(pair[1], "y");
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(), polled());
    }

    @Test
    void aHandlerThatReadsAllMayAskToBeToldAgain() {
        int[] pair = descriptors.socketPair();
        poller.watch(pair[0], Poller.READ, new Reader(recorder));
        descriptors.write(pair[1], "x");
        assertEquals(List.of(Poller.READ), polled());
        poller.readAgain(pair[0]);
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(), polled());
        assertEquals("x", descriptors.read(pair[0]));
        poller.readAgain(pair[0]);
        assertEquals(List.of(), polled());
        poller.unwatch(pair[0]);
        poller.readAgain(pair[0]);
        poller.readAgain(-1);
    }

    @Test
    void aHandlerThatReadsAllIsToldAgainForAsLongAsThereIsAnEndToRead() {
        int[] pair = descriptors.socketPair();
        poller.watch(pair[0], Poller.READ, new Reader(recorder));
        descriptors.write(pair[1], "x");
        descriptors.close(pair[1]);
        assertEquals(List.of(Poller.READ), polled());
        assertEquals("x", descriptors.read(pair[0]));
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(Poller.READ), polled());
    }

    @Test
    void aHandlerThatReadsAllIsToldAllTheTimeWhileItWritesToo() {
        int[] pair = descriptors.socketPair();
        Reader reader = new Reader(recorder);
        poller.watch(pair[0], Poller.READ, reader);
        descriptors.write(pair[1], "x");
        assertEquals(List.of(Poller.READ), polled());
        poller.watch(pair[0], BOTH, reader);
        assertEquals(List.of(BOTH), polled());
        assertEquals(List.of(BOTH), polled());
        poller.watch(pair[0], Poller.READ, reader);
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(), polled());
    }

    @Test
    void anArrivalBehindAFailedHandlerIsToldAgain() {
        int[] failing = descriptors.socketPair();
        int[] behind = descriptors.socketPair();
        poller.watch(failing[0], Poller.READ, _ -> {
            throw new IllegalStateException("as a protocol might");
        });
        poller.watch(behind[0], Poller.READ, new Reader(recorder));
        descriptors.write(failing[1], "x");
        descriptors.write(behind[1], "x");
        assertThrows(IllegalStateException.class, poller::pollNow);
        poller.unwatch(failing[0]);
        assertEquals(List.of(Poller.READ), polled());
    }

    @Test
    void onlyWhatWasAskedForIsTold() {
        int[] pair = descriptors.socketPair();
        descriptors.write(pair[1], "x");
        assertEquals(0, poller.watch(pair[0], BOTH, recorder));
        assertEquals(List.of(BOTH), polled());
        assertEquals(0, poller.watch(pair[0], Poller.WRITE, recorder));
        assertEquals(List.of(Poller.WRITE), polled());
        assertEquals(0, poller.watch(pair[0], Poller.READ, recorder));
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(Poller.READ, poller.interest(pair[0]));
    }

    @Test
    void aNewHandlerReplacesTheFormer() {
        int[] pair = descriptors.socketPair();
        descriptors.write(pair[1], "x");
        Recorder former = new Recorder();
        poller.watch(pair[0], Poller.READ, former);
        poller.watch(pair[0], Poller.READ, recorder);
        assertSame(recorder, poller.handlerOrNull(pair[0]));
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(), former.take());
    }

    @Test
    void nothingIsToldOnceADescriptorIsNotWatched() {
        int[] pair = descriptors.socketPair();
        descriptors.write(pair[1], "x");
        poller.watch(pair[0], Poller.READ, recorder);
        poller.unwatch(pair[0]);
        assertEquals(List.of(), polled());
        assertEquals(0, poller.interest(pair[0]));
        assertNull(poller.handlerOrNull(pair[0]));
        poller.unwatch(pair[0]);
        poller.unwatch(-1);
        poller.unwatch(1_000_000);
        assertEquals(0, poller.watch(pair[0], Poller.READ, recorder));
        assertEquals(List.of(Poller.READ), polled());
    }

    @Test
    void aOneTimeWatchIsToldOnceAndCanBeRenewed() {
        int[] pair = descriptors.socketPair();
        descriptors.write(pair[1], "x");
        assertEquals(0, poller.watchOnce(pair[0], Poller.READ, recorder));
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(0, poller.interest(pair[0]));
        assertEquals(List.of(), polled());
        assertEquals(0, poller.watchOnce(pair[0], Poller.READ, recorder));
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(0, poller.watch(pair[0], Poller.READ, recorder));
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(Poller.READ), polled());
    }

    @Test
    void aSpentOneTimeWatchIsSilentAboutAHangUpAndCostsNoWakeUp() {
        int[] pair = descriptors.socketPair();
        descriptors.write(pair[1], "x");
        poller.watchOnce(pair[0], Poller.READ, recorder);
        assertEquals(1, poller.pollNow());
        descriptors.close(pair[1]);
        assertEquals(0, poller.pollNow());
        assertEquals(List.of(Poller.READ), recorder.take());
    }

    @Test
    void aOneTimeWatchOnANumberThatWasClosedAndReusedRegistersAnew() {
        int[] former = descriptors.socketPair();
        int[] later = descriptors.socketPair();
        descriptors.write(former[1], "x");
        poller.watchOnce(former[0], Poller.READ, recorder);
        assertEquals(List.of(Poller.READ), polled());
        descriptors.close(former[0]);
        descriptors.duplicateTo(later[0], former[0]);
        descriptors.write(later[1], "y");
        assertEquals(0, poller.watchOnce(former[0], Poller.READ, recorder));
        assertEquals(List.of(Poller.READ), polled());
    }

    @Test
    void aHangUpCountsAsReadyForWhateverWasAsked() {
        int[] pair = descriptors.socketPair();
        poller.watch(pair[0], BOTH, recorder);
        descriptors.close(pair[1]);
        assertEquals(List.of(BOTH), polled());
        poller.watch(pair[0], Poller.READ, recorder);
        assertEquals(List.of(Poller.READ), polled());
        poller.watch(pair[0], Poller.WRITE, recorder);
        assertEquals(List.of(Poller.WRITE), polled());
    }

    @Test
    void bothEndsOfAPipeAreToldThatTheOtherIsGone() {
        int[] losesWriter = descriptors.pipe();
        poller.watch(losesWriter[0], Poller.READ, recorder);
        assertEquals(List.of(), polled());
        descriptors.close(losesWriter[1]);
        assertEquals(List.of(Poller.READ), polled());
        poller.unwatch(losesWriter[0]);

        int[] losesReader = descriptors.pipe();
        while (descriptors.calls.write(
                        losesReader[1], descriptors.arena.allocate(4096).address(), 4096)
                > 0) {
            // until the pipe is full
        }
        poller.watch(losesReader[1], Poller.WRITE, recorder);
        assertEquals(List.of(), polled());
        descriptors.close(losesReader[0]);
        assertEquals(List.of(Poller.WRITE), polled());
    }

    @Test
    void aClosedDescriptorIsForgottenAndItsNumberCanBeWatchedAgain() {
        int[] former = descriptors.socketPair();
        int[] later = descriptors.socketPair();
        Recorder formerRecorder = new Recorder();
        poller.watch(former[0], Poller.READ, formerRecorder);
        descriptors.write(former[1], "x");
        descriptors.close(former[0]);
        assertEquals(0, poller.pollNow());

        descriptors.duplicateTo(later[0], former[0]);
        assertEquals(0, poller.watch(former[0], Poller.READ, recorder));
        descriptors.write(later[1], "y");
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(), formerRecorder.take());
    }

    @Test
    void anEventOfAFormerRegistrationReachesNobody() {
        int[][] pairs = {descriptors.socketPair(), descriptors.socketPair()};
        int[] silent = descriptors.socketPair();
        Recorder later = new Recorder();
        int[] told = new int[2];
        for (int i = 0; i < 2; i++) {
            int self = i;
            int other = pairs[1 - i][0];
            descriptors.write(pairs[i][1], "x");
            poller.watch(pairs[i][0], Poller.READ, _ -> {
                told[self]++;
                // The other's event is fetched already: its descriptor is closed, and the number is somebody else's.
                poller.unwatch(other);
                descriptors.close(other);
                descriptors.duplicateTo(silent[0], other);
                assertEquals(0, poller.watch(other, Poller.READ, later));
            });
        }
        assertEquals(2, poller.await(FOREVER));
        poller.dispatch(2);
        assertEquals(1, told[0] + told[1]);
        assertEquals(List.of(), later.take());
    }

    @Test
    void aStaleEventIsNotTakenForTheSameNumberEvenWithoutUnwatch() {
        int[] pair = descriptors.socketPair();
        int[] silent = descriptors.socketPair();
        Recorder former = new Recorder();
        descriptors.write(pair[1], "x");
        poller.watch(pair[0], Poller.READ, former);
        int count = poller.await(FOREVER);
        descriptors.close(pair[0]);
        descriptors.duplicateTo(silent[0], pair[0]);
        assertEquals(0, poller.watch(pair[0], Poller.READ, recorder));
        poller.dispatch(count);
        assertEquals(List.of(), recorder.take());
        assertEquals(List.of(), former.take());
    }

    @Test
    void aHandlerMayUnwatchItself() {
        int[] pair = descriptors.socketPair();
        AtomicInteger told = new AtomicInteger();
        descriptors.write(pair[1], "x");
        poller.watch(pair[0], Poller.READ, _ -> {
            told.incrementAndGet();
            poller.unwatch(pair[0]);
        });
        poller.pollNow();
        poller.pollNow();
        assertEquals(1, told.get());
    }

    @Test
    void whatAFailedHandlerLeftUndoneIsToldAgain() {
        int[] pair = descriptors.socketPair();
        descriptors.write(pair[1], "x");
        poller.watch(pair[0], Poller.READ, _ -> {
            throw new IllegalStateException("as a protocol might");
        });
        assertThrows(IllegalStateException.class, poller::pollNow);
        assertThrows(IllegalStateException.class, poller::pollNow);
    }

    @Test
    void whatWasFetchedAndGivenBackIsToldByTheNextPoll() {
        int[] edge = descriptors.socketPair();
        int[] once = descriptors.socketPair();
        Recorder waiting = new Recorder();
        poller.watch(edge[0], Poller.READ, new Reader(recorder));
        poller.watchOnce(once[0], Poller.READ, waiting);
        descriptors.write(edge[1], "x");
        descriptors.write(once[1], "x");
        int count = poller.fetchNow();
        assertEquals(2, count);
        poller.giveBack(count);
        assertEquals(List.of(Poller.READ), polled());
        assertEquals(List.of(Poller.READ), waiting.take());
        assertEquals(List.of(), polled());
        assertEquals(List.of(), waiting.take());
    }

    @Test
    void anEventFetchedBeforeItsDescriptorWasWatchedOnceMoreIsToldByTheNextPoll() {
        int[] pair = descriptors.socketPair();
        poller.watchOnce(pair[0], Poller.READ, recorder);
        descriptors.write(pair[1], "x");
        int count = poller.fetchNow();
        poller.watchOnce(pair[0], BOTH, recorder);
        poller.dispatch(count);
        assertEquals(List.of(), recorder.take());
        assertEquals(List.of(BOTH), polled());
    }

    @Test
    void aRegularFileCannotBeWatched(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "text");
        int fd = descriptors.regularFile(file.toString());
        assertEquals(-Errno.EPERM, poller.watch(fd, Poller.READ, recorder));
        assertNull(poller.handlerOrNull(fd));
    }

    @Test
    void aClosedDescriptorCannotBeWatched() {
        int[] pair = descriptors.socketPair();
        descriptors.close(pair[0]);
        assertEquals(-Errno.EBADF, poller.watch(pair[0], Poller.READ, recorder));
        assertEquals(-Errno.EBADF, poller.watch(-1, Poller.READ, recorder));
        assertNull(poller.handlerOrNull(pair[0]));
    }

    @Test
    void changingTheInterestOfAClosedDescriptorFailsAndChangesNothing() {
        int[] pair = descriptors.socketPair();
        poller.watch(pair[0], Poller.READ, recorder);
        descriptors.close(pair[0]);
        assertEquals(-Errno.EBADF, poller.watch(pair[0], BOTH, recorder));
        assertEquals(Poller.READ, poller.interest(pair[0]));
        assertSame(recorder, poller.handlerOrNull(pair[0]));
        poller.unwatch(pair[0]);
        assertNull(poller.handlerOrNull(pair[0]));
    }

    @Test
    void aFailedWatchChangesNothing() {
        int[] pair = descriptors.socketPair();
        poller.watch(pair[0], Poller.READ, recorder);
        // An epoll descriptor in itself is ELOOP or EINVAL.
        assertTrue(poller.watch(poller.fd(), Poller.READ, recorder) < 0);
        assertNull(poller.handlerOrNull(poller.fd()));
        assertEquals(Poller.READ, poller.interest(pair[0]));
    }

    @Test
    void moreDescriptorsThanOneWaitFetchesAllHaveTheirTurn() {
        Set<Integer> told = new HashSet<>();
        for (int i = 0; i < 300; i++) {
            int fd = descriptors.eventfd();
            assertEquals(0, poller.watch(fd, Poller.WRITE, _ -> told.add(fd)));
        }
        for (int polls = 1; polls <= 4; polls++) {
            assertEquals(64, poller.pollNow());
            assertEquals(64 * polls, told.size());
        }
        poller.pollNow();
        assertEquals(300, told.size());
    }

    @Test
    void whereFewAreFetchedAllHaveTheirTurnByAndBy() {
        Set<Integer> told = new HashSet<>();
        for (int i = 0; i < 80; i++) {
            int fd = descriptors.eventfd();
            assertEquals(0, poller.watch(fd, Poller.WRITE, _ -> told.add(fd)));
        }
        poller.fetchFew(true);
        for (int polls = 1; polls <= 10; polls++) {
            assertEquals(8, poller.pollNow());
            assertEquals(8 * polls, told.size());
        }
        poller.fetchFew(false);
        assertEquals(64, poller.pollNow());
    }

    @Test
    void descriptorsOfAnyNumberAreWatched() {
        int[] pair = descriptors.socketPair();
        int high = descriptors.duplicateFrom(pair[0], 700);
        assertEquals(0, poller.interest(high));
        assertEquals(0, poller.watch(high, Poller.WRITE, recorder));
        assertEquals(List.of(Poller.WRITE), polled());
        List<FdHandler> shown = new ArrayList<>();
        poller.forEachHandler(shown::add);
        assertEquals(List.of(recorder), shown);
    }

    @Test
    void anotherThreadEndsAWaitWithoutTimeout() throws InterruptedException {
        for (int i = 0; i < 200; i++) {
            Thread waker = Thread.ofPlatform().start(poller::wakeup);
            assertEquals(1, poller.await(FOREVER));
            poller.dispatch(1);
            assertEquals(0, poller.pollNow());
            waker.join();
        }
    }

    @Test
    void wakeUpsBeforeTheWaitEndItOnce() {
        for (int i = 0; i < 1000; i++) {
            poller.wakeup();
        }
        assertEquals(1, poller.await(FOREVER));
        poller.dispatch(1);
        assertEquals(0, poller.await(0));
    }

    @Test
    void aWakeUpTakesNothingFromTheHandlers() {
        int[] pair = descriptors.socketPair();
        poller.watch(pair[0], Poller.READ, recorder);
        descriptors.write(pair[1], "x");
        poller.wakeup();
        assertEquals(2, poller.pollNow());
        assertEquals(List.of(Poller.READ), recorder.take());
    }

    @Test
    void theEpollDescriptorIsReadableWhenOneOfItsOwnIs() {
        int[] pair = descriptors.socketPair();
        try (Poller outer = new Poller(descriptors.calls)) {
            assertEquals(0, outer.watch(poller.fd(), Poller.READ, recorder));
            poller.watch(pair[0], Poller.READ, _ -> {});
            assertEquals(0, outer.pollNow());
            descriptors.write(pair[1], "x");
            assertEquals(1, outer.pollNow());
            assertEquals(List.of(Poller.READ), recorder.take());
        }
    }

    @Test
    void closingGivesTheDescriptorsBackAndIsFinal() {
        int[] pair = descriptors.socketPair();
        Poller closed = new Poller(descriptors.calls);
        int fd = closed.fd();
        assertTrue(descriptors.isOpen(fd) && descriptors.isOpen(fd + 1));
        assertTrue(descriptors.isCloseOnExec(fd) && descriptors.isCloseOnExec(fd + 1));
        closed.watch(pair[0], Poller.READ, recorder);
        closed.close();
        assertFalse(descriptors.isOpen(fd));
        assertFalse(descriptors.isOpen(fd + 1));
        closed.close();
        closed.wakeup();
        assertEquals(-Errno.EBADF, closed.watch(pair[0], Poller.READ, recorder));
        assertNull(closed.handlerOrNull(pair[0]));
        assertTrue(descriptors.isOpen(pair[0]), "a watched descriptor is its owner's");
    }
}
