package dev.jvloop;

import java.util.Iterator;

/**
 * A Python object, held by an owned reference.
 *
 * <p>Every method may be called by any thread, virtual ones included, and waits for the GIL; a virtual thread waits
 * unmounted. They throw {@link PyException} where Python raises, and {@link IllegalStateException} after
 * {@link #close()} and after Python has ended. Arguments are converted as {@link Python} says.
 *
 * <p>Close handles that are not needed any more. One that is collected instead gives its reference back when a thread
 * next calls Python.
 */
public interface PyObject extends AutoCloseable, Iterable<PyObject> {
    /** {@code getattr(object, name)}. */
    PyObject attribute(String name);

    /** {@code getattr(object, name)} as a Java value, as {@link #as} makes it. */
    <T> T attribute(String name, Class<T> type);

    /** {@code setattr(object, name, value)}. */
    void setAttribute(String name, Object value);

    /** {@code object[key]}. */
    PyObject item(Object key);

    /** {@code object[key]} as a Java value, as {@link #as} makes it. */
    <T> T item(Object key, Class<T> type);

    /** {@code object[key] = value}. */
    void setItem(Object key, Object value);

    /** {@code object(*arguments)}; the last argument may be {@link Keywords}. */
    PyObject call(Object... arguments);

    /**
     * {@link #call} with the result as a Java value, as {@link #as} makes it: without a handle in between, and so in half
     * the time.
     */
    <T> T callAs(Class<T> type, Object... arguments);

    /** {@code object.name(*arguments)}; the last argument may be {@link Keywords}. */
    PyObject callMethod(String name, Object... arguments);

    /** {@code object.name(*arguments)} as a Java value, as {@link #as} makes it. */
    <T> T callMethodAs(Class<T> type, String name, Object... arguments);

    /**
     * The object as a Java value; {@link Python} has the table. {@code as(Object.class)} gives the natural one, or this
     * object's further handle where there is none.
     *
     * @throws ClassCastException if an object of its kind is not convertible to that class
     * @throws ArithmeticException if a number is out of the class's range
     */
    <T> T as(Class<T> type);

    /**
     * The object's memory, without a copy, for an object with the buffer protocol: bytes, bytearray, memoryview,
     * array.array, numpy's arrays.
     *
     * @throws PyException TypeError, if it has none; BufferError or ValueError, if its items are not next to each other
     *     in C's order
     */
    PyBuffer buffer();

    /** Whether it is {@code None}. */
    boolean isNone();

    /** {@code bool(object)}. */
    boolean isTrue();

    /** {@code len(object)}. */
    long length();

    /** {@code str(object)}. */
    String str();

    /** {@code repr(object)}. */
    String repr();

    /** Name of the object's class, with its module unless that is builtins. */
    String typeName();

    /**
     * {@code iter(object)}: {@code hasNext} calls Python for the next element.
     *
     * @throws PyException TypeError, if the object is not iterable
     */
    @Override
    Iterator<PyObject> iterator();

    /** Gives the reference back. The object may be finalised here. Closing again does nothing. */
    @Override
    void close();
}
