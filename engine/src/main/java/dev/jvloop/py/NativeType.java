package dev.jvloop.py;

import dev.jvloop.capi.Objects;
import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Makes Python types whose instances carry one number, by which Java finds its half of them in the {@link Registry}.
 * Their slots are upcalls, so in a process without its JVM (a forked child) the Python package replaces them; it is told
 * of every type made here.
 */
public final class NativeType {
    public static final int BF_GETBUFFER = 1;
    public static final int BF_RELEASEBUFFER = 2;
    public static final int TP_CALL = 50;
    public static final int TP_CLEAR = 51;
    public static final int TP_DEALLOC = 52;
    public static final int TP_TRAVERSE = 71;
    public static final int HAVE_GC = 1 << 14;

    private static final int DISALLOW_INSTANTIATION = 1 << 7;
    private static final long REMEMBER = Namespace.object("helper.remember_native_type");

    private NativeType() {}

    /** A slot and the static method of the upcall shape behind it. */
    public record Slot(int id, MethodHandle body) {}

    /**
     * A new heap type, for ever.
     *
     * @param name with its module, as Python shows it
     * @param flags 0 or {@link #HAVE_GC}
     */
    public static long newType(String name, int flags, Slot... slots) {
        Arena forever = Arena.global();
        MemorySegment table = forever.allocate(16L * (slots.length + 1), 8);
        for (int i = 0; i < slots.length; i++) {
            MethodHandle body = slots[i].body();
            long function = switch (slots[i].id()) {
                case TP_CALL -> Upcalls.raising(body);
                case BF_GETBUFFER -> Upcalls.raisingStatus(body);
                // They have no way to report an error.
                default -> Upcalls.neverRaising(body);
            };
            Memory.putInt(table.address() + 16L * i, slots[i].id());
            Memory.putLong(table.address() + 16L * i + 8, function);
        }
        long spec = forever.allocate(32, 8).address();
        Memory.putLong(spec, Memory.newStringForever(name));
        Memory.putInt(spec + 8, (int) Layout.HEADER + 8);
        Memory.putInt(spec + 16, flags | DISALLOW_INSTANTIATION);
        Memory.putLong(spec + 24, table.address());
        long type = PyErr.checked(Objects.PyType_FromSpec(spec));
        Calls.run(REMEMBER, type);
        return type;
    }

    /** A new instance that carries {@code id}. */
    public static long newInstance(long type, int id) {
        long ownedObject = PyErr.checked(Objects.PyType_GenericAlloc(type, 0));
        Memory.putLong(ownedObject + Layout.HEADER, id);
        return ownedObject;
    }

    /** The number that an instance carries. */
    public static int idOf(long instance) {
        return (int) Memory.getLong(instance + Layout.HEADER);
    }
}
