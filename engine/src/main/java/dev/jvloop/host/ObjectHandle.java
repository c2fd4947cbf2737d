package dev.jvloop.host;

import dev.jvloop.PyBuffer;
import dev.jvloop.PyObject;
import dev.jvloop.capi.Containers;
import dev.jvloop.capi.Objects;
import dev.jvloop.py.Py;
import dev.jvloop.py.PyErr;
import dev.jvloop.py.PythonError;
import dev.jvloop.py.Refs;
import java.lang.ref.Cleaner;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.LongFunction;
import java.util.function.LongUnaryOperator;

/** A Python object in the hands of a Java program. */
final class ObjectHandle implements PyObject {
    private final Interpreter interpreter;
    private final OwnedReference reference;
    private final Cleaner.Cleanable cleanable;

    ObjectHandle(Interpreter interpreter, OwnedReference reference) {
        this.interpreter = interpreter;
        this.reference = reference;
        cleanable = interpreter.cleaner().register(this, reference::close);
    }

    /** Does something in Python with the object, which stays meanwhile. */
    private <T> T use(LongFunction<T> action) {
        return interpreter.run(() -> {
            long object = reference.use();
            return Owned.ending(reference::endUse, () -> action.apply(object));
        });
    }

    private PyObject newHandle(LongUnaryOperator newResult) {
        return use(object -> interpreter.newHandle(newResult.applyAsLong(object)));
    }

    private <T> T newValue(Class<T> type, LongUnaryOperator newResult) {
        return use(object -> interpreter.castOwned(newResult.applyAsLong(object), type));
    }

    private LongUnaryOperator newAttribute(String name) {
        return object -> interpreter.names().with(name, known -> Py.newAttribute(object, known));
    }

    private static LongUnaryOperator newItem(Object key) {
        return object ->
                JavaArguments.with(key, ownedKey -> PyErr.checked(Containers.PyObject_GetItem(object, ownedKey)));
    }

    private LongUnaryOperator newMethodResult(String name, Object[] arguments) {
        return object ->
                interpreter.names().with(name, known -> JavaArguments.newMethodResult(object, known, arguments));
    }

    /** The object, for who keeps this handle open. */
    long borrowed() {
        long object = reference.use();
        reference.endUse();
        return object;
    }

    /** A further reference. In Python. */
    long newReference() {
        long object = reference.use();
        Refs.incref(object);
        reference.endUse();
        return object;
    }

    @Override
    public PyObject attribute(String name) {
        return newHandle(newAttribute(name));
    }

    @Override
    public <T> T attribute(String name, Class<T> type) {
        return newValue(type, newAttribute(name));
    }

    @Override
    public void setAttribute(String name, Object value) {
        use(object -> interpreter
                .names()
                .with(
                        name,
                        known -> JavaArguments.with(
                                value,
                                ownedValue ->
                                        ToPython.checked((int) Objects.PyObject_SetAttr(object, known, ownedValue)))));
    }

    @Override
    public PyObject item(Object key) {
        return newHandle(newItem(key));
    }

    @Override
    public <T> T item(Object key, Class<T> type) {
        return newValue(type, newItem(key));
    }

    @Override
    public void setItem(Object key, Object value) {
        use(object -> JavaArguments.with(
                key,
                ownedKey -> JavaArguments.with(
                        value,
                        ownedValue -> ToPython.checked(Containers.PyObject_SetItem(object, ownedKey, ownedValue)))));
    }

    @Override
    public PyObject call(Object... arguments) {
        return newHandle(object -> JavaArguments.newCallResult(object, arguments));
    }

    @Override
    public <T> T callAs(Class<T> type, Object... arguments) {
        return newValue(type, object -> JavaArguments.newCallResult(object, arguments));
    }

    @Override
    public PyObject callMethod(String name, Object... arguments) {
        return newHandle(newMethodResult(name, arguments));
    }

    @Override
    public <T> T callMethodAs(Class<T> type, String name, Object... arguments) {
        return newValue(type, newMethodResult(name, arguments));
    }

    @Override
    public <T> T as(Class<T> type) {
        return use(object -> interpreter.cast(object, type));
    }

    @Override
    public PyBuffer buffer() {
        return use(interpreter::newBuffer);
    }

    @Override
    public boolean isNone() {
        return use(object -> object == Py.NONE);
    }

    @Override
    public boolean isTrue() {
        return use(Py::isTrue);
    }

    @Override
    public long length() {
        return use(object -> {
            long length = Containers.PyObject_Size(object);
            if (length < 0) {
                throw PythonError.SET;
            }
            return length;
        });
    }

    @Override
    public String str() {
        return use(object -> Texts.ofOwned(PyErr.checked(Objects.PyObject_Str(object))));
    }

    @Override
    public String repr() {
        return use(object -> Texts.ofOwned(PyErr.checked(Objects.PyObject_Repr(object))));
    }

    @Override
    public String typeName() {
        return use(Failures::typeName);
    }

    @Override
    public Iterator<PyObject> iterator() {
        return new Elements((ObjectHandle) newHandle(object -> PyErr.checked(Containers.PyObject_GetIter(object))));
    }

    @Override
    public void close() {
        if (!reference.isClosed()) {
            cleanable.clean();
            interpreter.releaseNow();
        }
    }

    /** {@link #close} for a thread that does not wait for the GIL: who is next in Python gives the reference back. */
    void closeLater() {
        cleanable.clean();
    }

    @Override
    public String toString() {
        return reference.isClosed() || interpreter.isEnded() ? "a closed PyObject" : str();
    }

    /** What an iterator of Python's gives. It is released when it is exhausted. */
    private static final class Elements implements Iterator<PyObject> {
        private final ObjectHandle iterator;
        private PyObject nextOrNull;
        private boolean isExhausted;

        Elements(ObjectHandle iterator) {
            this.iterator = iterator;
        }

        @Override
        public boolean hasNext() {
            if (nextOrNull == null && !isExhausted) {
                nextOrNull = iterator.use(this::newNextOrNull);
                if (nextOrNull == null) {
                    isExhausted = true;
                    iterator.close();
                }
            }
            return nextOrNull != null;
        }

        private PyObject newNextOrNull(long object) {
            long ownedNext = Containers.PyIter_Next(object);
            if (ownedNext == 0) {
                PyErr.checkOccurred();
                return null;
            }
            return iterator.interpreter.newHandle(ownedNext);
        }

        @Override
        public PyObject next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            PyObject next = nextOrNull;
            nextOrNull = null;
            return next;
        }
    }
}
