package dev.jvloop.capi;

import dev.jvloop.foreign.CFunction;
import dev.jvloop.foreign.Downcall;
import dev.jvloop.foreign.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/**
 * The start of an interpreter in a process that is not Python's. Functions of initconfig.h.
 *
 * <p>Two structures are read and written here, and both are tried out before they are trusted: {@code PyStatus}, which is
 * public, on an error made for the purpose; and the first words of {@code PyConfig}, by comparing the two ways to
 * fill it in. The rest of {@code PyConfig} differs between versions and is left to CPython's own functions.
 */
public final class Initialization {
    /** CPython 3.11 to 3.14 use less than 500 bytes. */
    private static final long CONFIG_BYTES = 8192;

    private static final long STATUS_MESSAGE = 16;
    private static final StructLayout STATUS = MemoryLayout.structLayout(
            ValueLayout.JAVA_INT.withName("_type"),
            MemoryLayout.paddingLayout(4),
            ValueLayout.JAVA_LONG.withName("func"),
            ValueLayout.JAVA_LONG.withName("err_msg"),
            ValueLayout.JAVA_INT.withName("exitcode"),
            MemoryLayout.paddingLayout(4));

    /** The first words of a PyConfig for each of two ways; -1 in the fourth, dev_mode, is "not decided yet". */
    private static final String PYTHON_HEAD = "[2, 0, 1, -1, 1]";

    private static final String ISOLATED_HEAD = "[3, 1, 0, 0, 0]";
    private static final int HEAD_WORDS = 5;
    private static final long INSTALL_SIGNAL_HANDLERS = 4 * 4;

    private static final MethodHandle PYSTATUS_ERROR =
            Downcall.of("PyStatus_Error", FunctionDescriptor.of(STATUS, ValueLayout.JAVA_LONG));
    private static final MethodHandle PYSTATUS_EXCEPTION =
            Downcall.of("PyStatus_Exception", FunctionDescriptor.of(ValueLayout.JAVA_INT, STATUS));
    private static final CFunction PYCONFIG_INITPYTHONCONFIG = Downcall.plain("PyConfig_InitPythonConfig");
    private static final CFunction PYCONFIG_INITISOLATEDCONFIG = Downcall.plain("PyConfig_InitIsolatedConfig");
    private static final MethodHandle PYCONFIG_SETBYTESARGV = Downcall.of(
            "PyConfig_SetBytesArgv",
            FunctionDescriptor.of(STATUS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle PY_INITIALIZEFROMCONFIG =
            Downcall.of("Py_InitializeFromConfig", FunctionDescriptor.of(STATUS, ValueLayout.JAVA_LONG));
    private static final CFunction PYCONFIG_CLEAR = Downcall.plain("PyConfig_Clear");

    private Initialization() {}

    /**
     * Starts the interpreter as {@code program} would start it, without its signal handlers: signals are the JVM's. The
     * calling thread becomes Python's main thread and holds the GIL.
     *
     * @param program path of a python executable, by which CPython finds its library and a virtual environment
     * @throws IllegalStateException with CPython's message, if it does not start
     */
    public static void initialize(String program) {
        try (Arena arena = Arena.ofConfined()) {
            checkStatusLayout(arena);
            checkHead(arena, PYCONFIG_INITISOLATEDCONFIG, ISOLATED_HEAD);
            long config = checkHead(arena, PYCONFIG_INITPYTHONCONFIG, PYTHON_HEAD);
            Memory.putInt(config + INSTALL_SIGNAL_HANDLERS, 0);
            try {
                SegmentAllocator allocator = arena;
                MemorySegment words = arena.allocate(16, 8);
                words.set(ValueLayout.JAVA_LONG, 0, arena.allocateFrom(program).address());
                raiseIfFailed(
                        (MemorySegment) PYCONFIG_SETBYTESARGV.invokeExact(allocator, config, 1L, words.address()));
                raiseIfFailed((MemorySegment) PY_INITIALIZEFROMCONFIG.invokeExact(allocator, config));
            } finally {
                PYCONFIG_CLEAR.call(config);
            }
        } catch (Throwable t) {
            throw Downcall.failed(t);
        }
    }

    private static void checkStatusLayout(Arena arena) throws Throwable {
        SegmentAllocator allocator = arena;
        long text = arena.allocateFrom("tried out").address();
        MemorySegment status = (MemorySegment) PYSTATUS_ERROR.invokeExact(allocator, text);
        if (status.get(ValueLayout.JAVA_LONG, STATUS_MESSAGE) != text
                || (int) PYSTATUS_EXCEPTION.invokeExact(status) == 0) {
            throw new IllegalStateException("this CPython's PyStatus is not one that jvloop knows");
        }
    }

    private static long checkHead(Arena arena, CFunction initialize, String expected) throws Throwable {
        MemorySegment config = arena.allocate(CONFIG_BYTES, 16);
        initialize.call(config.address());
        String head = Arrays.toString(config.asSlice(0, 4L * HEAD_WORDS).toArray(ValueLayout.JAVA_INT));
        if (!head.equals(expected)) {
            throw new IllegalStateException("this CPython's PyConfig is not one that jvloop knows: it begins with "
                    + head + " and not with " + expected);
        }
        return config.address();
    }

    private static void raiseIfFailed(MemorySegment status) throws Throwable {
        if ((int) PYSTATUS_EXCEPTION.invokeExact(status) != 0) {
            long message = status.get(ValueLayout.JAVA_LONG, STATUS_MESSAGE);
            throw new IllegalStateException(message == 0 ? "CPython asks to exit" : Memory.getString(message));
        }
    }
}
