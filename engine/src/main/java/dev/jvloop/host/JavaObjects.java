package dev.jvloop.host;

import dev.jvloop.capi.Objects;
import dev.jvloop.foreign.Memory;
import dev.jvloop.py.Calls;
import dev.jvloop.py.JavaReference;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import java.util.concurrent.CompletionStage;

/** Java objects in Python's hands: {@code jvloop.host.JavaObject}. In Python. */
final class JavaObjects {
    private static final long TYPE = Namespace.object("type.JavaObject");
    private static final long JAVA_HALF = Namespace.integer("slot.JavaObject._java_half");

    private JavaObjects() {}

    /** A new reference to a Python object that stands for this one. */
    static long newObject(Object object) {
        if (JpypeObjects.ARE_THERE && !(object instanceof CompletionStage)) {
            return JpypeObjects.newObject(object);
        }
        return Calls.newResult(
                HostNames.NEW_JAVA_OBJECT,
                new Calls.Owned(JavaReference.newFor(object)),
                new Calls.Owned(Texts.newString(object.getClass().getName())),
                new Calls.Owned(Py.newBool(object instanceof CompletionStage)));
    }

    /** The Java object that a Python object stands for; null if it is another kind of object. */
    static Object getOrNull(long object) {
        if (JpypeObjects.isOne(object)) {
            return JpypeObjects.getOrNull(object);
        }
        if ((int) Objects.PyType_IsSubtype(Py.typeOf(object), TYPE) == 0) {
            return null;
        }
        long halfOrNull = Memory.getLong(object + JAVA_HALF);
        return halfOrNull == 0 ? null : JavaReference.get(halfOrNull);
    }
}
