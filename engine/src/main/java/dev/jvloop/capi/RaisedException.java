package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Memory;

/** Taking the raised exception out of the error indicator, which 3.12 changed from three objects to one. */
public final class RaisedException {
    private static final CFunction GET =
            Version.RAISED_EXCEPTION_IS_ONE_OBJECT ? Downcall.plain("PyErr_GetRaisedException") : null;
    private static final CFunction FETCH = GET == null ? Downcall.plain("PyErr_Fetch") : null;
    private static final CFunction NORMALIZE = GET == null ? Downcall.plain("PyErr_NormalizeException") : null;
    private static final CFunction SET_TRACEBACK = GET == null ? Downcall.plain("PyException_SetTraceback") : null;

    private RaisedException() {}

    /** A new reference to the raised exception, with its traceback set; the indicator is cleared. 0 if none. */
    public static long take(long threeWords) {
        if (GET != null) {
            return GET.call();
        }
        FETCH.call(threeWords, threeWords + 8, threeWords + 16);
        if (Memory.getLong(threeWords) == 0) {
            return 0;
        }
        NORMALIZE.call(threeWords, threeWords + 8, threeWords + 16);
        long type = Memory.getLong(threeWords);
        long value = Memory.getLong(threeWords + 8);
        long traceback = Memory.getLong(threeWords + 16);
        if (traceback != 0) {
            SET_TRACEBACK.call(value, traceback);
            Objects.Py_DecRef(traceback);
        }
        Objects.Py_DecRef(type);
        return value;
    }
}
