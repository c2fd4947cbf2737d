package dev.jvloop.capi;

import java.lang.invoke.MethodHandle;

/** The locks of single objects in free-threaded Python. The functions of critical_section.h, under C's names. */
public final class CriticalSections {
    private static final MethodHandle PYCRITICALSECTION_BEGIN = Downcall.plain("PyCriticalSection_Begin");
    private static final MethodHandle PYCRITICALSECTION_END = Downcall.plain("PyCriticalSection_End");

    private CriticalSections() {}

    public static long PyCriticalSection_Begin(long section, long object) {
        try {
            return (long) PYCRITICALSECTION_BEGIN.invokeExact(section, object, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    public static long PyCriticalSection_End(long section) {
        try {
            return (long) PYCRITICALSECTION_END.invokeExact(section, 0L, 0L, 0L);
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }
}
