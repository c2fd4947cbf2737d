package dev.jvloop.linux;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;

/** The C stack of a thread, which Java's frames stand on as well. */
public final class ThreadStack {
    private static final CFunction PTHREAD_SELF = Downcall.plain("pthread_self");
    private static final CFunction PTHREAD_GETATTR_NP = Downcall.plain("pthread_getattr_np");
    private static final CFunction PTHREAD_ATTR_GETSTACKSIZE = Downcall.plain("pthread_attr_getstacksize");
    private static final CFunction PTHREAD_ATTR_DESTROY = Downcall.plain("pthread_attr_destroy");
    /** A pthread_attr_t has 56 bytes on x86-64, and 64 on aarch64. */
    private static final long ATTRIBUTES_SIZE = 128;

    private ThreadStack() {}

    /**
     * The size of the calling platform thread's stack in bytes.
     *
     * @throws SystemCallException if the C library does not know
     */
    public static long sizeBytes() {
        try (Arena arena = Arena.ofConfined()) {
            long attributes = arena.allocate(ATTRIBUTES_SIZE, 16).address();
            long size = arena.allocate(8, 8).address();
            long thread = PTHREAD_SELF.call();
            int error = (int) PTHREAD_GETATTR_NP.call(thread, attributes);
            if (error != 0) {
                throw new SystemCallException("pthread_getattr_np", error);
            }
            PTHREAD_ATTR_GETSTACKSIZE.call(attributes, size);
            PTHREAD_ATTR_DESTROY.call(attributes, 0L);
            return Memory.getLong(size);
        }
    }
}
