"""Starts the JVM in this process, or attaches to one that is already there, and starts the engine in it.

Nothing happens at import. ``ensure_engine`` does everything once per process, under a lock, on the calling thread.

The hard part is that a JVM is a guest with the habits of a host. It installs handlers for signals that Python owns,
its threads would receive Python's signals, it prints to the standard streams, and it calls ``exit`` where options
contradict each other. So the signals are blocked and put back around its creation, and options that did not come from
this file are tried in a process of their own first. Rejected: JNI's own ``exit`` and ``vfprintf`` hooks. They stay
installed for the JVM's life, and a JVM thread that reports a crash would have to wait for the GIL.
"""

from __future__ import annotations

import atexit
import gc
import locale
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from jvloop import _aot_cache, _faulthandler, _residency
from jvloop._java_home import MINIMUM_JAVA, JavaHome, JvmError, feature_version, find_java
from jvloop._jni import JNI_OK, JavaError, Jni, JvmEnd, JvmLibrary
from jvloop._jvm_options import jvm_options, refusal, try_options
from jvloop._sigaction import SignalAction, default_realtime_signal

__all__ = ["EngineInfo", "JvmError", "engine_info", "ensure_engine", "on_forked_child"]

BOOTSTRAP_CLASS = "dev.jvloop.bridge.Bootstrap"
_CACHE_OF_FOREIGN_JVM = "left to whoever started the JVM"

_JNI_ERRORS = {
    -1: "JNI_ERR: unknown error",
    -2: "JNI_EDETACHED: thread detached from the VM",
    -3: "JNI_EVERSION: JNI version not supported",
    -4: "JNI_ENOMEM: not enough memory",
    -5: "JNI_EEXIST: a JVM was already created in this process",
    -6: "JNI_EINVAL: invalid options",
}

# Signals whose dispositions the JVM keeps; SIGTRAP is among them on some processors.
_LEFT_TO_JVM = {*_faulthandler.JVM_SIGNALS, signal.SIGTRAP}
# Signals that a fault of the running instruction raises: blocking them would turn the fault into the process's death.
_NEVER_BLOCKED = {*_LEFT_TO_JVM, signal.SIGABRT, signal.SIGSYS}


class EngineInfo(NamedTuple):
    """How this process came to its engine."""

    java_version: str
    java_home: str
    found_by: str
    """The rule that found the Java home, or that the JVM was already in the process."""
    jar: str
    options: tuple[str, ...]
    """Options the JVM was created with; empty if it was already in the process."""
    attached: bool
    """True if somebody else had created the JVM."""
    jvm_start_s: float
    """Seconds that creating the JVM, or attaching to it, took."""
    bootstrap_s: float
    """Seconds that the engine's start in the JVM took."""
    aot_cache: str
    """Whether an AOT cache is used, or why not, in words."""


class _State:
    """What this process knows about its JVM."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.info: EngineInfo | None = None
        self.wanted = False
        """Whether the engine was to start in this process, be it in vain."""
        self.failure: str | None = None
        """Message of a failure that cannot be repaired by trying again in this process."""
        self.jvm_pid: int | None = None
        """The process in which the JVM lives: a forked child inherits its memory, but none of its threads."""
        self.vm = 0
        """Address of the JavaVM."""
        self.library = ""
        """Path of the JVM's library, if the JVM is ours."""
        self.settled = False
        """Whether what only the start needed was given back."""
        self.loader = 0
        """A global reference to the class loader of the engine, if that is not the JVM's own for programs."""
        self.end: JvmEnd | None = None
        """None if there is no JVM, or somebody else created it."""
        self.callbacks: list[Callable[[], None]] = []
        """What to do where the JVM is lost."""


_state = _State()


def engine_info() -> EngineInfo | None:
    """How the engine was started; None if it was not. Any thread."""
    return _state.info


def engine_was_wanted() -> bool:
    """Whether the engine was started, or should have been. Any thread."""
    return _state.wanted


def ensure_engine(namespace: int) -> None:
    """Makes sure that the engine runs and has bound its methods to the classes in the block at ``namespace``.

    The first call finds or starts the JVM and calls the engine's entry point with the address of the block, which
    must live as long as the process. Later calls return at once, whatever they pass. Any thread.

    Raises JvmError if there is no usable Java, the JVM or the engine does not start, or this is a forked child of a
    process that had started the JVM.
    """
    if _state.info is not None and _state.jvm_pid == os.getpid():
        return
    with _state.lock:
        _state.wanted = True
        _raise_if_forked()
        if _state.info is None:
            if _state.failure is not None:
                raise JvmError(_state.failure)
            _state.info = _start_engine(namespace)


def first_loop_is_made() -> None:
    """Gives back what only the start needed, once, if the JVM is ours. Any thread."""
    if _state.settled:
        return
    _state.settled = True
    if _state.info is not None and not _state.info.attached:
        _residency.release_library(_state.library)


def adopt_host(java_version: str, java_home: str, jar: str) -> None:
    """Takes note that a Java program started Python: its JVM is the engine's, and ends after Python.

    Called once, by that program, before it starts the engine with its own classes.
    """
    _state.jvm_pid = os.getpid()
    _faulthandler.adopt_foreign_jvm_signals()
    _state.info = EngineInfo(
        java_version=java_version,
        java_home=java_home,
        found_by="the Java program that started Python",
        jar=jar,
        options=(),
        attached=True,
        jvm_start_s=0.0,
        bootstrap_s=0.0,
        aot_cache=_CACHE_OF_FOREIGN_JVM,
    )


def on_forked_child(callback: Callable[[], None]) -> None:
    """Has ``callback`` run where the JVM is lost, so that nothing calls Java any more.

    That is in every forked child of this process that inherits the JVM, right after the fork; and, if somebody else
    created the JVM, at the exit of this process, before they destroy it (JPype does).
    """
    _state.callbacks.append(callback)


def _jvm_is_lost() -> None:
    for callback in _state.callbacks:
        callback()


def _raise_if_forked() -> None:
    if _state.jvm_pid is not None and _state.jvm_pid != os.getpid():
        raise JvmError(
            f"This process was forked from process {_state.jvm_pid}, which had started the JVM. The JVM's threads "
            "do not exist here, so jvloop cannot run in it. Start the child with the 'spawn' or 'forkserver' method of "
            "multiprocessing (or subprocess), or fork before the first jvloop event loop is made."
        )


class _Forking(threading.local):
    """Of each thread."""

    resumes = False
    """Whether the garbage collector was on before the fork that the thread is in."""


_forking = _Forking()


def _before_fork() -> None:
    # A collection in the child visits objects whose tp_traverse is Java's, and Java's first call of the compiler or
    # of another thread waits for ever: so there is none until the child has nothing of Java's.
    _forking.resumes = _state.jvm_pid is not None and gc.isenabled()
    if _forking.resumes:
        gc.disable()


def _after_fork() -> None:
    if _forking.resumes:
        _forking.resumes = False
        gc.enable()


def _after_fork_in_child() -> None:
    _state.lock = threading.Lock()
    if _state.end is not None:
        _state.end.forget()
    if _state.jvm_pid is not None:
        _jvm_is_lost()
    _after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)


def _start_engine(namespace: int) -> EngineInfo:
    if not sys.platform.startswith("linux"):
        raise JvmError(f"jvloop runs on Linux (its engine uses epoll); this is {sys.platform}.")
    jar = find_jar()
    started = time.perf_counter()
    loaded = _loaded_libjvm()
    foreign_vm = JvmLibrary(loaded).created_vm() if loaded else None
    with _asynchronous_signals_blocked():
        if loaded is not None and foreign_vm is not None:
            return _start_in_foreign_jvm(namespace, jar, loaded, foreign_vm, started)
        return _start_in_own_jvm(namespace, jar, started)


def _start_in_own_jvm(namespace: int, jar: str, started: float) -> EngineInfo:
    home = find_java()
    options = jvm_options(jar)
    try_options(home, options)
    cache = _aot_cache.choose(home, jar, options)
    options = [*cache.options, *options]
    vm = _create_jvm(home, options)
    _state.jvm_pid = os.getpid()
    _state.vm = vm
    _state.library = home.libjvm
    _state.end = JvmEnd(vm)
    _faulthandler.adopt_jvm_signals()
    jvm_started = time.perf_counter()
    with _failure_remembered(jar, home.path), Jni(vm, attached_for_us=True) as jni:
        _grant_native_access(jni)
        _call_start(jni, jni.find_class(BOOTSTRAP_CLASS.replace(".", "/")), namespace)
    keep_from_children(jar)
    return EngineInfo(
        java_version=home.version,
        java_home=home.path,
        found_by=home.found_by,
        jar=jar,
        options=tuple(options),
        attached=False,
        jvm_start_s=jvm_started - started,
        bootstrap_s=time.perf_counter() - jvm_started,
        aot_cache=cache.outcome,
    )


def _start_in_foreign_jvm(namespace: int, jar: str, libjvm: str, vm: int, started: float) -> EngineInfo:
    home = os.path.abspath(os.path.join(libjvm, "../../.."))
    _state.jvm_pid = os.getpid()
    _state.vm = vm
    _faulthandler.adopt_foreign_jvm_signals()
    # Exit handlers run in reverse order: this one before that of whoever imported their JVM bridge earlier.
    atexit.register(_jvm_is_lost)
    with _failure_remembered(jar, home), Jni(vm) as jni:
        version = _java_version(jni)
        if feature_version(version) < MINIMUM_JAVA:
            raise JvmError(
                f"The JVM that is already in this process ({libjvm}) is Java {version}; jvloop needs Java "
                f"{MINIMUM_JAVA} or newer, and a process can hold only one JVM. Have whoever starts it (JPype, "
                f"jnius, ...) use a JDK {MINIMUM_JAVA}, or make the first jvloop event loop before."
            )
        jvm_started = time.perf_counter()
        _grant_native_access(jni)
        loader = _engine_loader(jni, jar)
        _state.loader = jni.new_global(loader)
        _call_start(jni, _load_class(jni, loader, BOOTSTRAP_CLASS), namespace)
    keep_from_children(jar)
    return EngineInfo(
        java_version=version,
        java_home=home,
        found_by="a JVM that was already in the process",
        jar=jar,
        options=(),
        attached=True,
        jvm_start_s=jvm_started - started,
        bootstrap_s=time.perf_counter() - jvm_started,
        aot_cache=_CACHE_OF_FOREIGN_JVM,
    )


@contextmanager
def _failure_remembered(jar: str, home: str) -> Iterator[None]:
    """Turns a Java exception into a JvmError. What fails now would fail again: a process has one JVM."""
    try:
        yield
    except JavaError as error:
        _state.failure = f"The engine ({jar}) does not start in the JVM of {home}: {error}"
        raise JvmError(_state.failure) from error
    except JvmError as error:
        _state.failure = str(error)
        raise


def find_jar() -> str:
    """The engine's jar: ``JVLOOP_ENGINE_JAR``, else the wheel's, else the one that Maven built in a checkout."""
    package = os.path.dirname(os.path.realpath(__file__))
    ordered = os.environ.get("JVLOOP_ENGINE_JAR")
    in_wheel = os.path.join(package, "engine.jar")
    in_checkout = os.path.join(os.path.dirname(os.path.dirname(package)), "engine", "target", "jvloop-engine.jar")
    candidates = [ordered] if ordered else [in_wheel, in_checkout]
    for jar in candidates:
        if os.path.isfile(jar):
            return os.path.abspath(jar)
    advice = "Correct or unset JVLOOP_ENGINE_JAR" if ordered else "Install jvloop from its wheel, or run `make engine`"
    looked_at = " and ".join(candidates)
    raise JvmError(f"The engine's jar is missing: looked for {looked_at}. {advice}.")


def _loaded_libjvm() -> str | None:
    """Path of the JVM library that is already mapped into this process, None if there is none."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            if line.endswith("/libjvm.so\n"):
                return line[line.index("/") : -1]
    return None


# ---- creation


def _create_jvm(home: JavaHome, options: list[str]) -> int:
    """Creates the JVM and returns the address of its JavaVM."""
    try:
        library = JvmLibrary(home.libjvm)
    except OSError as error:
        raise JvmError(f"The JVM library {home.libjvm} (Java {home.version}) cannot be loaded: {error}.") from error
    _faulthandler.release_for_jvm()
    with _python_keeps_its_handlers(), _python_keeps_its_locale():
        code, vm = library.create(options)
    if code != JNI_OK:
        raise refusal(home, options, _JNI_ERRORS.get(code, f"JNI error {code}"))
    return vm


@contextmanager
def _asynchronous_signals_blocked() -> Iterator[None]:
    """Threads started meanwhile, the JVM's own, inherit the mask: Python's signals are never delivered to them."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - _NEVER_BLOCKED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def _python_keeps_its_handlers() -> Iterator[None]:
    """Around the JVM's creation: it keeps no signal handler but those that it cannot run without.

    HotSpot also takes SIGPIPE and SIGXFSZ (which Python ignores), and SIGUSR2 unless told to use another signal to
    suspend its own threads with.
    """
    told_otherwise = "_JAVA_SR_SIGNUM" in os.environ
    if not told_otherwise:
        os.putenv("_JAVA_SR_SIGNUM", str(default_realtime_signal()))
    kept = {int(signum) for signum in signal.valid_signals() - _LEFT_TO_JVM if signum < signal.SIGRTMIN}
    before = {signum: SignalAction.of(signum) for signum in kept - {signal.SIGKILL, signal.SIGSTOP}}
    try:
        yield
    finally:
        for signum, action in before.items():
            if SignalAction.of(signum).handler != action.handler:
                action.apply_to(signum)
        if not told_otherwise:
            os.unsetenv("_JAVA_SR_SIGNUM")


@contextmanager
def _python_keeps_its_locale() -> Iterator[None]:
    """The JVM sets the C library's whole locale from the environment. Python sets only LC_CTYPE: C code reads 1.5."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


def keep_from_children(jar: str) -> None:
    """The JVM holds a jar open with a descriptor that a program started by exec would inherit."""
    real = os.path.realpath(jar)
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the descriptor of the listing itself, and what other threads close meanwhile
            if os.readlink(f"/proc/self/fd/{name}") == real:
                os.set_inheritable(int(name), False)


# ---- the engine's entry point


def _java_version(jni: Jni) -> str:
    system = jni.find_class("java/lang/System")
    signature = "(Ljava/lang/String;)Ljava/lang/String;"
    return jni.text(jni.call_static(system, "getProperty", signature, jni.string("java.version")))


def _grant_native_access(jni: Jni) -> None:
    """Lets the engine use the Foreign Function & Memory API, as ``--enable-native-access=ALL-UNNAMED`` would.

    The method is not public, because Java code must not grant itself that; JNI code is native access already. The
    option is not used even where the JVM is ours: with it HotSpot cannot take the module graph from its archive, and
    starts later.
    """
    jni.call_static_void(jni.find_class("java/lang/Module"), "implAddEnableNativeAccessToAllUnnamed", "()V")


def _engine_loader(jni: Jni, jar: str) -> int:
    """A class loader for the engine in a JVM that knows nothing of the jar."""
    file = jni.new("java/io/File", "(Ljava/lang/String;)V", jni.string(jar))
    url = jni.call(jni.call(file, "toURI", "()Ljava/net/URI;"), "toURL", "()Ljava/net/URL;")
    class_loader = jni.find_class("java/lang/ClassLoader")
    parent = jni.call_static(class_loader, "getPlatformClassLoader", "()Ljava/lang/ClassLoader;")
    urls = jni.array("java/net/URL", url)
    return jni.new("java/net/URLClassLoader", "([Ljava/net/URL;Ljava/lang/ClassLoader;)V", urls, parent)


def _load_class(jni: Jni, loader: int, name: str) -> int:
    return jni.call(loader, "loadClass", "(Ljava/lang/String;)Ljava/lang/Class;", jni.string(name))


def start_more(class_name: str, namespace: int) -> None:
    """Calls the entry point of a further part of the engine, which runs, with the address of that part's block.

    Raises JvmError. Any thread.
    """
    _raise_if_forked()
    with Jni(_state.vm) as jni:
        if _state.loader:
            entry = _load_class(jni, _state.loader, class_name)
        else:
            entry = jni.find_class(class_name.replace(".", "/"))
        _call_start(jni, entry, namespace)


def _call_start(jni: Jni, entry: int, namespace: int) -> None:
    try:
        result = jni.call_static_long(entry, "start", "(J)J", namespace)
    except (JavaError, JvmError):
        raise
    except Exception as error:
        raise JvmError(f"The engine does not start: {error}") from error
    if result != 0:
        raise JvmError(f"The engine does not start: its entry point returned {result} and set no exception.")
