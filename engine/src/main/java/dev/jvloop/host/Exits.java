package dev.jvloop.host;

import dev.jvloop.ExitReason;
import dev.jvloop.PyException;
import dev.jvloop.capi.Objects;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Py;

/** What an exception that ended a worker's run means. */
final class Exits {
    private Exits() {}

    /** Any thread. */
    static ExitReason of(Interpreter interpreter, Throwable exception) {
        if (!(exception instanceof PyException e) || !(e.exceptionOrNull() instanceof ObjectHandle handle)) {
            return new ExitReason.Failed(exception);
        }
        return interpreter.run(() -> of(e, handle.borrowed()));
    }

    private static ExitReason of(PyException exception, long object) {
        if ((int) Objects.PyType_IsSubtype(Py.typeOf(object), HostNames.KEYBOARD_INTERRUPT) != 0) {
            return new ExitReason.Interrupted(exception);
        }
        long ownedStatus = Calls.newResult(HostNames.EXIT_STATUS, object);
        return Owned.releasing(
                ownedStatus,
                () -> ownedStatus == Py.NONE
                        ? new ExitReason.Failed(exception)
                        : new ExitReason.SystemExited(
                                ToJava.integer(ownedStatus).intValue(), exception));
    }
}
