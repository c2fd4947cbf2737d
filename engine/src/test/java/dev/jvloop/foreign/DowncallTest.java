package dev.jvloop.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.junit.jupiter.api.Test;

class DowncallTest {
    @Test
    void functionsOfFewerParametersAreCalledWithTheCommonShape() throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom("seven c").address();
            assertEquals(7, Downcall.plain("strlen").call(text));
            assertEquals(7, Downcall.critical("strlen").call(text));
            assertEquals(7, Downcall.criticalIf(true, "strlen").call(text));
            assertEquals(7, Downcall.criticalIf(false, "strlen").call(text));
        }
    }

    @Test
    void eachParameterHasItsPlace() {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom("one two").address();
            long word = arena.allocateFrom("two").address();
            for (CFunction memmem : List.of(Downcall.plain("memmem"), Downcall.critical("memmem"))) {
                assertEquals(text + 4, memmem.call(text, 7, word, 3));
                assertEquals(0, memmem.call(text, 6, word, 3));
            }
            assertEquals(0, (int) Downcall.plain("strncmp").call(text + 4, word, 9));
            assertEquals(text + 4, Downcall.plain("strstr").call(text, word));
        }
    }

    @Test
    void anIntResultIsNarrowedByTheCaller() throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom("-5").address();
            assertEquals(-5, (int) Downcall.plain("atoi").call(text));
        }
        assertEquals(
                ProcessHandle.current().pid(), (int) Downcall.plain("getpid").call());
    }

    @Test
    void aPointerIsCalled() throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom("four").address();
            long pointer = Symbols.findOrThrow("strlen").address();
            assertEquals(4, Downcall.plainAt("a pointer", pointer).call(text));
            assertEquals(4, Downcall.criticalAt("a pointer", pointer).call(text));
        }
    }

    @Test
    void otherSignaturesAreBoundAsTheyAre() throws Throwable {
        MethodHandle atof = Downcall.of("atof", FunctionDescriptor.of(ValueLayout.JAVA_DOUBLE, ValueLayout.JAVA_LONG));
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(
                    1.5, (double) atof.invokeExact(arena.allocateFrom("1.5").address()));
        }
    }

    @Test
    void aMissingFunctionFailsWhereItIsBound() {
        assertThrows(UnsatisfiedLinkError.class, () -> Downcall.plain("PyNoSuchFunction"));
        assertThrows(UnsatisfiedLinkError.class, () -> Downcall.critical("PyNoSuchFunction"));
        assertThrows(UnsatisfiedLinkError.class, () -> Downcall.plainAt("PyNoSuchFunction", 0));
    }

    @Test
    void whatACallThrewGoesOnUnchanged() {
        RuntimeException runtime = new IllegalStateException("one");
        assertSame(runtime, Downcall.failed(runtime));
        Error error = new StackOverflowError();
        assertSame(error, assertThrows(StackOverflowError.class, () -> Downcall.failed(error)));
        Exception checked = new Exception("two");
        assertSame(checked, Downcall.failed(checked).getCause());
    }
}
