package dev.jvloop.py;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jvloop.foreign.Memory;
import org.junit.jupiter.api.Test;

class ScratchTest {
    @Test
    void piecesDoNotOverlapAndAreUsedAgain() {
        long first;
        try (Scratch.Piece outer = Scratch.take(10)) {
            first = outer.address();
            Memory.putLong(outer.address(), 1);
            try (Scratch.Piece inner = Scratch.take(8)) {
                Memory.putLong(inner.address(), 2);
                assertTrue(inner.address() >= outer.address() + 10);
                assertEquals(0, inner.address() % 16);
            }
            assertEquals(1, Memory.getLong(outer.address()));
        }
        try (Scratch.Piece again = Scratch.take(16)) {
            assertEquals(first, again.address());
        }
    }

    @Test
    void whatIsTooLargeHasMemoryOfItsOwn() {
        try (Scratch.Piece small = Scratch.take(8);
                Scratch.Piece large = Scratch.take(1 << 20);
                Scratch.Piece next = Scratch.take(8)) {
            Memory.putLong(large.address() + (1 << 20) - 8, 3);
            assertEquals(3, Memory.getLong(large.address() + (1 << 20) - 8));
            assertEquals(small.address() + 16, next.address());
        }
    }

    @Test
    void eachThreadHasItsOwn() throws InterruptedException {
        long[] other = new long[1];
        try (Scratch.Piece mine = Scratch.take(8)) {
            Thread thread = new Thread(() -> {
                try (Scratch.Piece piece = Scratch.take(8)) {
                    other[0] = piece.address();
                }
            });
            thread.start();
            thread.join();
            assertNotEquals(mine.address(), other[0]);
        }
    }
}
