package dev.jvloop.py;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class NamespaceTest {
    @Test
    void aBlockOfNamesAndWordsIsRead() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment names = arena.allocateFrom("test.first\ntest.second\ntest.third");
            MemorySegment block = arena.allocateFrom(ValueLayout.JAVA_LONG, names.address(), 16, 0, -1);
            Namespace.add(block.address());
        }
        assertEquals(16, Namespace.integer("test.first"));
        assertEquals(0, Namespace.integer("test.second"));
        assertEquals(-1, Namespace.object("test.third"));
    }

    @Test
    void aMissingEntryIsNamed() {
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> Namespace.object("test.missing"));
        assertTrue(e.getMessage().contains("test.missing"), e::getMessage);
    }
}
