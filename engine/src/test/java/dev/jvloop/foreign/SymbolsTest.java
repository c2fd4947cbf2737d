package dev.jvloop.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Linker;
import org.junit.jupiter.api.Test;

class SymbolsTest {
    @Test
    void findsWhatTheProcessExports() {
        long address =
                Linker.nativeLinker().defaultLookup().findOrThrow("strlen").address();
        assertTrue(address != 0);
        assertTrue(Symbols.findOrZero("strlen") != 0);
        assertEquals(Symbols.findOrZero("getpid"), Symbols.findOrThrow("getpid").address());
    }

    @Test
    void saysWhichSymbolIsMissing() {
        assertEquals(0, Symbols.findOrZero("PyNoSuchFunction"));
        UnsatisfiedLinkError e =
                assertThrows(UnsatisfiedLinkError.class, () -> Symbols.findOrThrow("PyNoSuchFunction"));
        assertTrue(e.getMessage().contains("PyNoSuchFunction"), e::getMessage);
    }
}
