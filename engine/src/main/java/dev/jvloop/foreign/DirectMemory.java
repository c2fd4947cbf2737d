package dev.jvloop.foreign;

import java.lang.reflect.Field;

/**
 * Finds {@code sun.misc.Unsafe} for {@link Memory}, in a JVM that allows its use.
 *
 * <p>The JDK deprecated its methods on memory for removal (<a href="https://openjdk.org/jeps/498">JEP 498</a>): unless
 * an option allows them, the first use prints a warning, which no program shall have from jvloop. In a Python process
 * jvloop sets that option itself. In a Java service it is the user's: {@code --sun-misc-unsafe-memory-access=allow}.
 */
@SuppressWarnings("removal")
final class DirectMemory {
    private static final String OPTION = "sun.misc.unsafe.memory.access";

    private DirectMemory() {}

    /** Null where it is not allowed, or where this JDK does not have it any more. */
    static sun.misc.Unsafe unsafeOrNull() {
        if (!"allow".equals(System.getProperty(OPTION))) {
            return null;
        }
        try {
            Field field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            sun.misc.Unsafe unsafe = (sun.misc.Unsafe) field.get(null);
            // A JDK that knows other options refuses here.
            unsafe.freeMemory(unsafe.allocateMemory(Long.BYTES));
            return unsafe;
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            return null;
        }
    }
}
