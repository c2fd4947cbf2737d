package dev.jvloop.py;

import dev.jvloop.capi.Contexts;
import dev.jvloop.capi.Version;
import dev.jvloop.foreign.Memory;

/**
 * The fields of a {@code contextvars.Context}, where they are known: measured on live objects before the start, and
 * looked at once more here. The caller holds the GIL.
 *
 * <p>A context holds its variables by one reference to an immutable mapping, which its copies share.
 */
public final class ContextFields {
    private static final long TYPE = Namespace.object("type.Context");
    private static final long VARIABLES = Namespace.integer("offset.context_variables");
    private static final long WEAKREFS = Namespace.integer("offset.context_weakrefs");
    private static final long CURRENT = Namespace.integer("offset.thread_context");

    /** Whether the methods here may be used; not in free-threaded Python, where another thread may be at it. */
    public static final boolean KNOWN = !Version.FREE_THREADED
            && ContextSwitch.ENTERED != 0
            && VARIABLES != 0
            && WEAKREFS != 0
            && CURRENT != 0
            && areWhereMeasured();
    /** The mapping of a context without variables: one object for all. */
    private static final long NO_VARIABLES = KNOWN ? ofNewContext() : 0;

    private static final long TYPE_OF_VARIABLES = KNOWN ? Py.typeOf(NO_VARIABLES) : 0;

    private ContextFields() {}

    private static boolean areWhereMeasured() {
        long ownedCopy = PyErr.checked(Contexts.PyContext_CopyCurrent());
        long current = currentOrNull();
        boolean shared = current != 0
                && Py.typeOf(current) == TYPE
                && Memory.getLong(current + VARIABLES) == Memory.getLong(ownedCopy + VARIABLES);
        Refs.decref(ownedCopy);
        return shared;
    }

    private static long ofNewContext() {
        long ownedContext = Calls.newResult(TYPE);
        long ownedMapping = Refs.incref(Memory.getLong(ownedContext + VARIABLES));
        Refs.decref(ownedContext);
        return ownedMapping;
    }

    /** A borrowed reference to the calling thread's context, or 0 if it has had no use for one yet. */
    private static long currentOrNull() {
        return Memory.getLong(Gil.threadState() + CURRENT);
    }

    /** A new reference to the variables of the calling thread's context, or 0 if it has none. */
    public static long newVariablesOfCurrentOrNull() {
        long contextOrNull = currentOrNull();
        if (contextOrNull == 0) {
            return 0;
        }
        long variables = Memory.getLong(contextOrNull + VARIABLES);
        return variables == NO_VARIABLES ? 0 : Refs.incref(variables);
    }

    /** Whether this is what a context holds its variables by. */
    public static boolean areVariables(long object) {
        return Py.typeOf(object) == TYPE_OF_VARIABLES;
    }

    /**
     * Whether nobody could tell this context, once emptied, from a new one: nobody has it, and nobody is in it. False
     * for anything else, and for 0.
     */
    public static boolean isReusable(long ownedContextOrNull) {
        return ownedContextOrNull != 0
                && Refs.isOnlyReference(ownedContextOrNull)
                && Py.typeOf(ownedContextOrNull) == TYPE
                && Memory.getInt(ownedContextOrNull + ContextSwitch.ENTERED) == 0
                && Memory.getLong(ownedContextOrNull + WEAKREFS) == 0;
    }

    /** Gives an empty context variables, which are its own from here on; 0 stands for none. */
    public static void setVariables(long emptyContext, long ownedVariablesOrNull) {
        if (ownedVariablesOrNull != 0) {
            Memory.putLong(emptyContext + VARIABLES, ownedVariablesOrNull);
            Refs.decref(NO_VARIABLES);
        }
    }

    /** Empties a context; what it held its variables by is the caller's to release, or 0. */
    public static long takeVariables(long context) {
        long ownedMapping = Memory.getLong(context + VARIABLES);
        if (ownedMapping == NO_VARIABLES) {
            return 0;
        }
        Memory.putLong(context + VARIABLES, Refs.incref(NO_VARIABLES));
        return ownedMapping;
    }
}
