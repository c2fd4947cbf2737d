package dev.jvloop.py;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jvloop.foreign.Downcall;
import java.lang.invoke.MethodHandles;
import org.junit.jupiter.api.Test;

/** What needs no interpreter: how other failures become Python errors is tested from Python. */
class UpcallsTest {
    @SuppressWarnings("unused")
    private static long weighted(long a, long b, long c, long d) {
        return a + 10 * b + 100 * c + 1000 * d;
    }

    @SuppressWarnings("unused")
    private static long raised(long a, long b, long c, long d) {
        throw PythonError.SET;
    }

    private static long call(long function) {
        return Downcall.plainAt("an upcall", function).call(1, 2, 3, 4);
    }

    @Test
    void argumentsAndResultPassThrough() throws Throwable {
        var body = Upcalls.body(MethodHandles.lookup(), UpcallsTest.class, "weighted");
        assertEquals(4321, call(Upcalls.raising(body)));
        assertEquals(4321, call(Upcalls.raisingStatus(body)));
        assertEquals(4321, call(Upcalls.neverRaising(body)));
    }

    @Test
    void aRaisedPythonErrorBecomesNullOrAStatus() throws Throwable {
        var body = Upcalls.body(MethodHandles.lookup(), UpcallsTest.class, "raised");
        assertEquals(0, call(Upcalls.raising(body)));
        assertEquals(-1, call(Upcalls.raisingStatus(body)));
    }

    @Test
    void aMissingBodyFailsWhereTheTableIsMade() {
        assertThrows(
                IllegalStateException.class,
                () -> Upcalls.body(MethodHandles.lookup(), UpcallsTest.class, "no_such_body"));
    }
}
