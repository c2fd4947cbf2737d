package dev.jvloop.capi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.Test;

class DowncallTest {
    @Test
    void functionsOfFewerParametersAreCalledWithTheCommonShape() throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom("seven c").address();
            assertEquals(7, (long) Downcall.plain("strlen").invokeExact(text, 0L, 0L, 0L));
            assertEquals(7, (long) Downcall.critical("strlen").invokeExact(text, 0L, 0L, 0L));
            assertEquals(7, (long) Downcall.criticalIf(true, "strlen").invokeExact(text, 0L, 0L, 0L));
            assertEquals(7, (long) Downcall.criticalIf(false, "strlen").invokeExact(text, 0L, 0L, 0L));
        }
    }

    @Test
    void anIntResultIsNarrowedByTheCaller() throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom("-5").address();
            assertEquals(-5, (int) (long) Downcall.plain("atoi").invokeExact(text, 0L, 0L, 0L));
        }
        assertEquals(ProcessHandle.current().pid(), (int)
                (long) Downcall.plain("getpid").invokeExact(0L, 0L, 0L, 0L));
    }

    @Test
    void aPointerIsCalled() throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom("four").address();
            MethodHandle pointer = Downcall.pointer();
            assertEquals(4, (long) pointer.invokeExact(Symbols.findOrThrow("strlen"), text, 0L, 0L, 0L));
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
