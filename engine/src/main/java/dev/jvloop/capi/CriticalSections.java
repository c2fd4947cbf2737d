package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;

/** The locks of single objects in free-threaded Python. The functions of critical_section.h, under C's names. */
public final class CriticalSections {
    private static final CFunction PYCRITICALSECTION_BEGIN = Downcall.plain("PyCriticalSection_Begin");
    private static final CFunction PYCRITICALSECTION_END = Downcall.plain("PyCriticalSection_End");

    private CriticalSections() {}

    public static long PyCriticalSection_Begin(long section, long object) {
        return PYCRITICALSECTION_BEGIN.call(section, object);
    }

    public static long PyCriticalSection_End(long section) {
        return PYCRITICALSECTION_END.call(section);
    }
}
