package dev.jvloop.host;

import dev.jvloop.PythonStartException;
import dev.jvloop.bridge.Bootstrap;
import dev.jvloop.capi.Abstract;
import dev.jvloop.capi.Lists;
import dev.jvloop.capi.Longs;
import dev.jvloop.capi.Modules;
import dev.jvloop.capi.Objects;
import dev.jvloop.capi.PyErrors;
import dev.jvloop.capi.RaisedException;
import dev.jvloop.capi.Unicode;
import dev.jvloop.capi.Version;
import dev.jvloop.foreign.Memory;
import dev.jvloop.foreign.Symbols;
import dev.jvloop.linux.Environment;
import dev.jvloop.py.Calls;
import dev.jvloop.py.PythonError;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/**
 * The way from a Java process to one with Python and the engine in it.
 *
 * <p>Its order is that of what depends on what. The classes of {@code capi} look their functions up when they are
 * initialised: not before libpython is loaded. Those of {@code py} read what the Python package hands over: not before it
 * was imported and asked. Until then only {@code capi} is used here, and errors are texts.
 */
final class Startup {
    private Startup() {}

    /**
     * Loads the library, starts the interpreter and the engine.
     *
     * @throws PythonStartException why that failed
     */
    static MainThread start(InterpreterProbe probe, Settings settings) {
        Path searchPathEntry = PythonPackage.searchPathEntry();
        settings.environment().forEach(Environment::set);
        try {
            Symbols.loadGlobally(probe.library().toString());
        } catch (UnsatisfiedLinkError e) {
            throw new PythonStartException("the Python library cannot be loaded: " + e.getMessage(), e);
        }
        checkLibrary(probe);
        try {
            return MainThread.start(probe.executable().toString(), () -> {
                startEngine(searchPathEntry.toString());
                setUp(settings);
            });
        } catch (IllegalStateException | UnsatisfiedLinkError e) {
            throw new PythonStartException(
                    "CPython " + probe.version() + " (" + probe.executable() + ") does not start here: "
                            + e.getMessage(),
                    e);
        }
    }

    private static void checkLibrary(InterpreterProbe probe) {
        String version = Version.ofLibrary();
        String feature = probe.version().substring(0, probe.version().lastIndexOf('.') + 1);
        if (!version.startsWith(feature)
                || Version.FREE_THREADED != probe.abiFlags().contains("t")) {
            throw new PythonStartException(probe.library() + " is of CPython " + version + ", but " + probe.executable()
                    + " is " + probe.version() + probe.abiFlags()
                    + ". Install the library that belongs to it, or choose another interpreter.");
        }
    }

    /** With the GIL, on Python's main thread. */
    private static void startEngine(String searchPathEntry) {
        try (Arena arena = Arena.ofConfined()) {
            long ownedEntry = newString(arena, searchPathEntry);
            long searchPath = checked(Modules.PySys_GetObject(address(arena, "path")));
            Lists.PyList_Insert(searchPath, 0, ownedEntry);
            long ownedHost = checked(Modules.PyImport_ImportModule(address(arena, "jvloop._host")));
            long block = callForNumber(
                    arena,
                    ownedHost,
                    "prepare",
                    System.getProperty("java.version"),
                    System.getProperty("java.home"),
                    PythonPackage.engine().toString());
            if (Bootstrap.start(block) != 0) {
                throw raised();
            }
            Attachment.prepare(callForNumber(arena, ownedHost, "make_host_block"));
            Objects.Py_DecRef(ownedEntry);
            Objects.Py_DecRef(ownedHost);
        }
    }

    private static void setUp(Settings settings) {
        try {
            Object[] path = settings.searchPath().stream().map(Path::toString).toArray();
            long ownedPath = ToPython.newObject(path);
            long ownedArguments = ToPython.newObject(settings.arguments().toArray());
            Calls.run(HostNames.SET_UP, ownedPath, ownedArguments);
            Objects.Py_DecRef(ownedPath);
            Objects.Py_DecRef(ownedArguments);
        } catch (PythonError e) {
            throw raised();
        }
    }

    private static long callForNumber(Arena arena, long module, String function, String... arguments) {
        long array = arena.allocate(8L * (arguments.length + 1), 8).address();
        for (int i = 0; i < arguments.length; i++) {
            Memory.putLong(array + 8L * i, newString(arena, arguments[i]));
        }
        long ownedName = newString(arena, function);
        long ownedFunction = checked(Objects.PyObject_GetAttr(module, ownedName));
        long ownedResult = checked(Abstract.PyObject_Vectorcall(ownedFunction, array, arguments.length, 0));
        long number = Longs.PyLong_AsLongLong(ownedResult);
        for (int i = 0; i < arguments.length; i++) {
            Objects.Py_DecRef(Memory.getLong(array + 8L * i));
        }
        Objects.Py_DecRef(ownedName);
        Objects.Py_DecRef(ownedFunction);
        Objects.Py_DecRef(ownedResult);
        return number;
    }

    private static long newString(Arena arena, String text) {
        return checked(Unicode.PyUnicode_FromString(address(arena, text)));
    }

    private static long address(Arena arena, String text) {
        return arena.allocateFrom(text).address();
    }

    private static long checked(long result) {
        if (result == 0) {
            throw raised();
        }
        return result;
    }

    /** The raised exception, as a text. */
    private static IllegalStateException raised() {
        try (Arena arena = Arena.ofConfined()) {
            long exception = RaisedException.take(arena.allocate(24, 8).address());
            long textOrNull = exception == 0 ? 0 : Objects.PyObject_Repr(exception);
            if (textOrNull == 0) {
                PyErrors.PyErr_Clear();
                return new IllegalStateException("an error that cannot be shown");
            }
            return new IllegalStateException(Memory.getString(Unicode.PyUnicode_AsUTF8(textOrNull)));
        }
    }
}
