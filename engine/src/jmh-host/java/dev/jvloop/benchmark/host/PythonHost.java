package dev.jvloop.benchmark.host;

import java.util.List;

/**
 * A way to run CPython in a Java process, doing what the rows ask. The thread that made it calls and closes it.
 *
 * <p>Each method is what a program would write with that library, conversions included.
 */
public interface PythonHost extends AutoCloseable {
    /** What the rows call, run in the main namespace first. */
    String PREPARATION = """
            import math
            sqrt = math.sqrt

            class Point:
                def __init__(self):
                    self.x = 12345

            point = Point()
            memory = bytes(range(256)) * 4096

            def fail():
                raise ValueError("no such thing")
            """;

    /** {@code math.sqrt(number)}, with the function at hand. */
    double squareRoot(double number);

    /** The same, with the function looked up by the name of module and function. */
    double squareRootByName(double number);

    /** {@code str.upper(text)}, with the function at hand. */
    String upper(String text);

    /** {@code sorted(values)}, with the function at hand. */
    List<?> sorted(int[] values);

    /** The int in {@code point.x}, with the object at hand. */
    long attribute();

    /** The last byte of a bytes object of 1 MiB, with the object at hand. */
    int lastByte();

    /** {@code number = 1} as source text. */
    void execute();

    /** Calls what raises ValueError; the message of the Java exception. */
    String fail();

    @Override
    void close();
}
