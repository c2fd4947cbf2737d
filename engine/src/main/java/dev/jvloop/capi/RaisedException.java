package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** Taking the raised exception out of the error indicator, which 3.12 changed from three objects to one. */
public final class RaisedException {
    private static final MethodHandle GET =
            Version.RAISED_EXCEPTION_IS_ONE_OBJECT ? Downcall.plain("PyErr_GetRaisedException") : null;
    private static final MethodHandle FETCH = GET == null ? Downcall.plain("PyErr_Fetch") : null;
    private static final MethodHandle NORMALIZE = GET == null ? Downcall.plain("PyErr_NormalizeException") : null;
    private static final MethodHandle SET_TRACEBACK = GET == null ? Downcall.plain("PyException_SetTraceback") : null;

    private RaisedException() {}

    /** A new reference to the raised exception, with its traceback set; the indicator is cleared. 0 if none. */
    public static long take(long threeWords) {
        try {
            if (GET != null) {
                return (long) GET.invokeExact(0L, 0L, 0L, 0L);
            }
            long unused = (long) FETCH.invokeExact(threeWords, threeWords + 8, threeWords + 16, 0L);
            if (Memory.getLong(threeWords) == 0) {
                return 0;
            }
            unused = (long) NORMALIZE.invokeExact(threeWords, threeWords + 8, threeWords + 16, 0L);
            long type = Memory.getLong(threeWords);
            long value = Memory.getLong(threeWords + 8);
            long traceback = Memory.getLong(threeWords + 16);
            if (traceback != 0) {
                unused = (long) SET_TRACEBACK.invokeExact(value, traceback, 0L, 0L);
                Objects.Py_DecRef(traceback);
            }
            Objects.Py_DecRef(type);
            return value;
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
