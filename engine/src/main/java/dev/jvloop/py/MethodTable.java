package dev.jvloop.py;

import dev.jvloop.capi.Descriptors;
import dev.jvloop.capi.Objects;
import dev.jvloop.capi.Version;
import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Gives a Python class methods whose bodies are static Java methods: a method descriptor over an upcall stub, which
 * CPython calls as it calls a method written in C.
 */
public final class MethodTable {
    private static final int METH_KEYWORDS = 0x0002;
    private static final int METH_NOARGS = 0x0004;
    private static final int METH_O = 0x0008;
    private static final int METH_FASTCALL = 0x0080;
    private static final long METHOD_DEF_SIZE = 32;

    private final MethodHandles.Lookup lookup;
    private final Class<?> bodies;
    private final long type;
    private final ThreadGuard guardOrNull;

    /**
     * Methods that any thread may call.
     *
     * @param lookup sees the bodies
     * @param bodies the class whose static methods are the bodies, each under the Python method's name
     * @param type the Python class
     */
    public MethodTable(MethodHandles.Lookup lookup, Class<?> bodies, long type) {
        this(lookup, bodies, type, null);
    }

    /** Methods of the one thread that {@code guard} lets through. Normal builds do not ask it: there the GIL is the guard. */
    public MethodTable(MethodHandles.Lookup lookup, Class<?> bodies, long type, ThreadGuard guard) {
        this.lookup = lookup;
        this.bodies = bodies;
        this.type = type;
        this.guardOrNull = Version.FREE_THREADED ? guard : null;
    }

    /** A method of {@code self} alone. */
    public MethodTable noArguments(String name, String signature, String doc) {
        return add(name, METH_NOARGS, signature, doc);
    }

    /** A method of {@code self} and one positional argument. */
    public MethodTable oneArgument(String name, String signature, String doc) {
        return add(name, METH_O, signature, doc);
    }

    /** Body: (self, address of arguments, their count, unused). */
    public MethodTable positional(String name, String signature, String doc) {
        return add(name, METH_FASTCALL, signature, doc);
    }

    /** Body: (self, address of arguments, count of the positional ones, tuple of keyword names or 0). */
    public MethodTable keywords(String name, String signature, String doc) {
        return add(name, METH_FASTCALL | METH_KEYWORDS, signature, doc);
    }

    private MethodTable add(String name, int flags, String signature, String doc) {
        long definition = Arena.global().allocate(METHOD_DEF_SIZE, 8).address();
        Memory.putLong(definition, Memory.newStringForever(name));
        Memory.putLong(definition + 8, Upcalls.raising(guarded(Upcalls.body(lookup, bodies, name))));
        Memory.putInt(definition + 16, flags);
        // Not with +, which links a call site at run time: 2 ms of start-up.
        String text = name.concat(signature).concat("\n--\n\n").concat(doc);
        Memory.putLong(definition + 24, Memory.newStringForever(text));
        long ownedDescriptor = PyErr.checked(Descriptors.PyDescr_NewMethod(type, definition));
        long ownedName = Py.internForever(name);
        if ((int) Objects.PyObject_SetAttr(type, ownedName, ownedDescriptor) != 0) {
            throw PythonError.SET;
        }
        Refs.decref(ownedName);
        Refs.decref(ownedDescriptor);
        return this;
    }

    private MethodHandle guarded(MethodHandle body) {
        return guardOrNull == null
                ? body
                : MethodHandles.insertArguments(Guarded.CALL, 0, new Guarded(guardOrNull, body));
    }

    /** A body behind its guard. */
    private record Guarded(ThreadGuard guard, MethodHandle body) {
        private static final MethodHandle CALL = call();

        private static MethodHandle call() {
            try {
                return MethodHandles.lookup()
                        .findVirtual(
                                Guarded.class,
                                "call",
                                MethodType.methodType(long.class, long.class, long.class, long.class, long.class));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        @SuppressWarnings("unused")
        private long call(long self, long b, long c, long d) throws Throwable {
            ThreadGuard.Claim claimOrNull = guard.enterOrNull(self);
            try {
                return (long) body.invokeExact(self, b, c, d);
            } finally {
                if (claimOrNull != null) {
                    claimOrNull.release();
                }
            }
        }
    }
}
