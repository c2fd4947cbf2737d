package dev.jvloop.py;

import dev.jvloop.capi.Objects;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;

/**
 * A Python object that keeps a Java object in the {@link Registry} as long as it lives. A Python object with a Java half
 * has one in a slot: what frees the slot frees the Java half, after every finalizer that may still use it.
 */
public final class JavaReference {
    private static final long TYPE = newType("jvloop.JavaReference");

    private JavaReference() {}

    /** Makes the Python type, at start-up, for the reason that {@code EngineObject.prepare} gives. */
    public static void prepare() {
        assert TYPE != 0;
    }

    /** A further Python type, for ever, whose instances keep a Java object, and have more slots. */
    public static long newType(String name, NativeType.Slot... more) {
        NativeType.Slot[] slots = Arrays.copyOf(more, more.length + 1);
        slots[more.length] = new NativeType.Slot(
                NativeType.TP_DEALLOC, Upcalls.body(MethodHandles.lookup(), JavaReference.class, "dealloc"));
        return NativeType.newType(name, 0, slots);
    }

    /** A new reference to a Python object for {@code javaObject}. */
    public static long newFor(Object javaObject) {
        return newFor(TYPE, javaObject);
    }

    /** A new reference to an instance of a type that {@link #newType} made. */
    public static long newFor(long type, Object javaObject) {
        return NativeType.newInstance(type, Registry.add(javaObject));
    }

    /** The Java object behind one. */
    public static Object get(long reference) {
        return Registry.get(NativeType.idOf(reference));
    }

    /** void dealloc(PyObject *self) */
    @SuppressWarnings("unused")
    private static long dealloc(long self, long unused1, long unused2, long unused3) {
        Registry.remove(NativeType.idOf(self));
        long ownedType = Py.typeOf(self);
        Objects.PyObject_Free(self);
        Refs.decref(ownedType);
        return 0;
    }
}
