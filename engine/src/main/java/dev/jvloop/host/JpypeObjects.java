package dev.jvloop.host;

import dev.jvloop.capi.Objects;
import dev.jvloop.py.Calls;
import dev.jvloop.py.Namespace;
import dev.jvloop.py.Py;
import dev.jvloop.py.Refs;
import java.util.UUID;

/** Java objects as JPype's, where JPype has started the JVM. {@code _host_jpype.py} says how. In Python. */
final class JpypeObjects {
    private static final long TYPE = Namespace.object("type.jpype");
    private static final long LEAVE_FOR_JAVA = Namespace.object("helper.leave_for_java");
    private static final long TAKE_FROM_JAVA = Namespace.object("helper.take_from_java");

    /** Whether JPype is in this process. */
    static final boolean ARE_THERE = TYPE != Py.NONE;

    private JpypeObjects() {}

    /** Whether a Python object is one of JPype's. */
    static boolean isOne(long object) {
        return ARE_THERE && (int) Objects.PyType_IsSubtype(Py.typeOf(object), TYPE) != 0;
    }

    /** The Java object that is one of JPype's in Python; null if it is a null. */
    static Object getOrNull(long object) {
        long ownedKey = Calls.newResult(LEAVE_FOR_JAVA, object);
        try {
            return ownedKey == Py.NONE ? null : System.getProperties().remove(Texts.of(ownedKey));
        } finally {
            Refs.decref(ownedKey);
        }
    }

    /** A new reference to JPype's object for this one. */
    static long newObject(Object object) {
        String key = "dev.jvloop.for-python." + UUID.randomUUID();
        System.getProperties().put(key, object);
        try {
            return Calls.newResult(TAKE_FROM_JAVA, new Calls.Owned(Texts.newString(key)));
        } finally {
            // If Python did not come so far as to take it.
            System.getProperties().remove(key);
        }
    }
}
