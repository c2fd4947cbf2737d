"""Starts the JVM in this process, or attaches to one that is already there, and starts the engine in it.

Nothing happens at import. ``ensure_engine`` does everything once per process, under a lock, on the calling thread.

The hard part is that a JVM is a guest with the habits of a host. It installs handlers for signals that Python owns, its
threads would receive Python's signals, it prints to the standard streams, and it calls ``exit`` where options contradict
each other. So the signals are blocked and put back around its creation, and options that did not come from this file are
tried in a process of their own first. Rejected: JNI's own ``exit`` and ``vfprintf`` hooks. They stay installed for the
JVM's life, and a JVM thread that reports a crash would have to wait for the GIL.
"""

from __future__ import annotations

import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jvloop import _faulthandler
from jvloop._java_home import MINIMUM_JAVA, JavaHome, JvmError, feature_version, find_java
from jvloop._jni import JNI_OK, JavaError, Jni, JvmLibrary
from jvloop._sigaction import SignalAction, default_realtime_signal

__all__ = ["EngineInfo", "JvmError", "engine_info", "ensure_engine", "on_forked_child"]

BOOTSTRAP_CLASS = "dev.jvloop.bridge.Bootstrap"

_PROBE_TIMEOUT_S = 60.0

_SMALLEST_STACK_KIB = 1024
_LARGEST_STACK_KIB = 64 * 1024
"""Reserved, not used, by each Java thread; a limit on the initial thread's stack where it has none."""

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


@dataclass(frozen=True, slots=True)
class EngineInfo:
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


class _State:
    """What this process knows about its JVM."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.info: EngineInfo | None = None
        self.failure: str | None = None
        """Message of a failure that cannot be repaired by trying again in this process."""
        self.jvm_pid: int | None = None
        """The process in which the JVM lives: a forked child inherits its memory, but none of its threads."""
        self.child_callbacks: list[Callable[[], None]] = []


_state = _State()


def engine_info() -> EngineInfo | None:
    """How the engine was started; None if it was not. Any thread."""
    return _state.info


def ensure_engine(namespace: dict[str, object]) -> None:
    """Makes sure that the engine runs and has bound its methods to the classes in ``namespace``.

    The first call finds or starts the JVM and calls the engine's entry point with the address of ``namespace``, which
    must live as long as the process. Later calls return at once, whatever they pass. Any thread.

    Raises JvmError if there is no usable Java, the JVM or the engine does not start, or this is a forked child of a
    process that had started the JVM.
    """
    if _state.info is not None and _state.jvm_pid == os.getpid():
        return
    with _state.lock:
        _raise_if_forked()
        if _state.info is None:
            if _state.failure is not None:
                raise JvmError(_state.failure)
            _state.info = _start_engine(namespace)


def on_forked_child(callback: Callable[[], None]) -> None:
    """Has ``callback`` run in every forked child of this process that inherits the JVM, right after the fork."""
    _state.child_callbacks.append(callback)


def _raise_if_forked() -> None:
    if _state.jvm_pid is not None and _state.jvm_pid != os.getpid():
        raise JvmError(
            f"This process was forked from process {_state.jvm_pid}, which had started the JVM. The JVM's threads do not "
            "exist here, so jvloop cannot run in it. Start the child with the 'spawn' or 'forkserver' method of "
            "multiprocessing (or subprocess), or fork before the first jvloop event loop is made."
        )


def _after_fork_in_child() -> None:
    _state.lock = threading.Lock()
    if _state.jvm_pid is not None:
        for callback in _state.child_callbacks:
            callback()


os.register_at_fork(after_in_child=_after_fork_in_child)


def _start_engine(namespace: dict[str, object]) -> EngineInfo:
    if not sys.platform.startswith("linux"):
        raise JvmError(f"jvloop runs on Linux (its engine uses epoll); this is {sys.platform}.")
    jar = _find_jar()
    started = time.perf_counter()
    loaded = _loaded_libjvm()
    foreign_vm = JvmLibrary(loaded).created_vm() if loaded else None
    options: list[str] = []
    if loaded is not None and foreign_vm is not None:
        home = JavaHome(Path(loaded).parents[2], Path(loaded), "", "a JVM that was already in the process")
        vm = foreign_vm
        _faulthandler.adopt_foreign_jvm_signals()
    else:
        home = find_java()
        options = _options(jar)
        _try_options(home, options)
        vm = _create_jvm(home, options)
        _faulthandler.adopt_jvm_signals()
    _state.jvm_pid = os.getpid()
    try:
        with Jni(vm, attached_for_us=foreign_vm is None) as jni:
            version = _java_version(jni)
            if foreign_vm is not None and feature_version(version) < MINIMUM_JAVA:
                raise JvmError(
                    f"The JVM that is already in this process ({loaded}) is Java {version}; jvloop needs Java "
                    f"{MINIMUM_JAVA} or newer, and a process can hold only one JVM. Have whoever starts it (JPype, "
                    f"jnius, ...) use a JDK {MINIMUM_JAVA}, or make the first jvloop event loop before."
                )
            jvm_started = time.perf_counter()
            _grant_native_access(jni)
            bootstrap = _foreign_bootstrap(jni, jar) if foreign_vm is not None else _own_bootstrap(jni)
            _call_bootstrap(jni, bootstrap, namespace)
    except JavaError as error:
        _state.failure = f"The engine ({jar}) does not start in the JVM of {home.path}: {error}"
        raise JvmError(_state.failure) from error
    except JvmError as error:
        _state.failure = str(error)
        raise
    return EngineInfo(
        java_version=version,
        java_home=str(home.path),
        found_by=home.found_by,
        jar=str(jar),
        options=tuple(options),
        attached=foreign_vm is not None,
        jvm_start_s=jvm_started - started,
        bootstrap_s=time.perf_counter() - jvm_started,
    )


def _find_jar() -> Path:
    """The engine's jar: ``JVLOOP_ENGINE_JAR``, else the one in the wheel, else the one that Maven built in a checkout."""
    package = Path(__file__).resolve().parent
    ordered = os.environ.get("JVLOOP_ENGINE_JAR")
    in_wheel = package / "engine.jar"
    in_checkout = package.parents[1] / "engine" / "target" / "jvloop-engine.jar"
    candidates = [Path(ordered)] if ordered else [in_wheel, in_checkout]
    for jar in candidates:
        if jar.is_file():
            return jar.absolute()
    advice = "Correct or unset JVLOOP_ENGINE_JAR" if ordered else "Install jvloop from its wheel, or run `make engine`"
    looked_at = " and ".join(str(jar) for jar in candidates)
    raise JvmError(f"The engine's jar is missing: looked for {looked_at}. {advice}.")


def _loaded_libjvm() -> str | None:
    """Path of the JVM library that is already mapped into this process, None if there is none."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        mapped = re.search(r"(/.*/libjvm\.so)$", maps.read(), re.MULTILINE)
    return mapped[1] if mapped else None


# ---- options


def _user_options() -> list[str]:
    text = os.environ.get("JVLOOP_JVM_OPTIONS", "")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise JvmError(f"JVLOOP_JVM_OPTIONS={text!r} cannot be split into options as a shell would: {error}.") from None


def _environment_options() -> list[str]:
    """Options that the JVM itself takes from the environment, whoever starts it."""
    return " ".join(os.environ.get(name, "") for name in ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")).split()


def _options(jar: Path) -> list[str]:
    """The JVM's options: those of a modest guest, then the user's, which win.

    HotSpot ends the process if two collectors are chosen or the heap's limits contradict each other, so the defaults
    for either are left out as soon as the user has a say in it.
    """
    user = _user_options()
    foreign = [*user, *_environment_options()]
    options = [
        f"-Djava.class.path={jar}",
        "-Xrs",
        "-Xshare:auto",
        "-XX:-UsePerfData",
        "-XX:+DisplayVMOutputToStderr",
        "-XX:ReservedCodeCacheSize=32m",
        f"-Xss{_stack_kib()}k",
    ]
    if not any(re.match(r"-XX:[+-]Use\w+GC$", option) for option in foreign):
        options.append("-XX:+UseSerialGC")
    if not any(re.match(r"-Xm[sxn]|-XX:\w*(?:Heap|RAM|NewSize)\w*=", option) for option in foreign):
        options += ["-Xms16m", "-Xmx128m"]
    return options + user


def _stack_kib() -> int:
    """The size of Java thread stacks, in KiB: that of the initial thread's own stack.

    HotSpot puts its guard pages this far below the top of the initial thread's stack, whatever ``ulimit -s`` allows. With
    its default of 1 MiB, recursion in C code that CPython permits (a deep ``repr`` on 3.11) would crash there.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    largest = _LARGEST_STACK_KIB * 1024
    return min(max(soft, _SMALLEST_STACK_KIB * 1024) if soft != resource.RLIM_INFINITY else largest, largest) // 1024


def _try_options(home: JavaHome, options: list[str]) -> None:
    """Raises JvmError if the JVM would refuse the options, or end the process over them.

    Tried in a process of its own, which costs about as much as starting the JVM; only where options came from outside.
    """
    launcher = home.path / "bin" / "java"
    if not (_user_options() or _environment_options()) or not launcher.is_file():
        return
    try:
        probe = subprocess.run(
            [launcher, *options, "-version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if name != "JDK_JAVA_OPTIONS"},
            timeout=_PROBE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refused(home, options, f"it did not answer within {_PROBE_TIMEOUT_S:.0f} s") from None
    if probe.returncode != 0:
        said = "; ".join(line.strip() for line in probe.stdout.decode(errors="replace").splitlines() if line.strip())
        raise _refused(home, options, said or f"exit code {probe.returncode}")


def _refused(home: JavaHome, options: list[str], reason: str) -> JvmError:
    sources = [
        f"{name}={os.environ[name]!r}"
        for name in ("JVLOOP_JVM_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")
        if os.environ.get(name)
    ]
    advice = f"Check {' and '.join(sources)}" if sources else "Check that memory is available and the Java runtime is whole"
    return JvmError(
        f"The JVM of {home.path} (Java {home.version}) refuses to start: {reason}. "
        f"Its options were: {shlex.join(options)}. {advice}."
    )


# ---- creation


def _create_jvm(home: JavaHome, options: list[str]) -> int:
    """Creates the JVM and returns the address of its JavaVM."""
    try:
        library = JvmLibrary(str(home.libjvm))
    except OSError as error:
        raise JvmError(f"The JVM library {home.libjvm} (Java {home.version}) cannot be loaded: {error}.") from error
    _faulthandler.release_for_jvm()
    with _python_keeps_its_signals():
        code, vm = library.create(options)
    if code != JNI_OK:
        raise _refused(home, options, _JNI_ERRORS.get(code, f"JNI error {code}"))
    return vm


@contextmanager
def _python_keeps_its_signals() -> Iterator[None]:
    """Around the JVM's creation: its threads get no signals, and it keeps no handler but those it cannot run without.

    The threads inherit the mask of the thread that creates them. As for handlers, HotSpot also takes SIGPIPE and SIGXFSZ
    (which Python ignores), and SIGUSR2 unless told to use another signal to suspend its own threads with.
    """
    blockable = signal.valid_signals() - _NEVER_BLOCKED
    suspend_signal = default_realtime_signal()
    told_otherwise = "_JAVA_SR_SIGNUM" in os.environ
    if not told_otherwise:
        os.putenv("_JAVA_SR_SIGNUM", str(suspend_signal))
    restored = {*range(1, signal.SIGRTMIN)} - {signal.SIGKILL, signal.SIGSTOP, *_LEFT_TO_JVM, *_reserved_by_libc()}
    before = {signum: SignalAction.of(signum) for signum in restored}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, blockable)
    try:
        yield
    finally:
        for signum, action in before.items():
            if SignalAction.of(signum).handler != action.handler:
                action.apply_to(signum)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if not told_otherwise:
            os.unsetenv("_JAVA_SR_SIGNUM")


def _reserved_by_libc() -> set[int]:
    """Real-time signals that the C library keeps for its threads and hides from programs (32 and 33, with glibc)."""
    return {*range(1, signal.SIGRTMIN)} - {int(signum) for signum in signal.valid_signals()}


# ---- the engine's entry point


def _java_version(jni: Jni) -> str:
    system = jni.find_class("java/lang/System")
    signature = "(Ljava/lang/String;)Ljava/lang/String;"
    return jni.text(jni.call_static(system, "getProperty", signature, jni.string("java.version")))


def _grant_native_access(jni: Jni) -> None:
    """Lets the engine use the Foreign Function & Memory API, as ``--enable-native-access=ALL-UNNAMED`` would.

    The method is not public, because Java code must not grant itself that; JNI code is native access already. The option
    is not used even where the JVM is ours: with it HotSpot cannot take the module graph from its archive, and starts later.
    """
    jni.call_static_void(jni.find_class("java/lang/Module"), "implAddEnableNativeAccessToAllUnnamed", "()V")


def _own_bootstrap(jni: Jni) -> int:
    """The entry class, from the class path that the JVM was created with."""
    return jni.find_class(BOOTSTRAP_CLASS.replace(".", "/"))


def _foreign_bootstrap(jni: Jni, jar: Path) -> int:
    """The entry class in a JVM that knows nothing of the jar: loaded by a class loader of its own."""
    file = jni.new("java/io/File", "(Ljava/lang/String;)V", jni.string(str(jar)))
    url = jni.call(jni.call(file, "toURI", "()Ljava/net/URI;"), "toURL", "()Ljava/net/URL;")
    class_loader = jni.find_class("java/lang/ClassLoader")
    parent = jni.call_static(class_loader, "getPlatformClassLoader", "()Ljava/lang/ClassLoader;")
    urls = jni.array("java/net/URL", url)
    loader = jni.new("java/net/URLClassLoader", "([Ljava/net/URL;Ljava/lang/ClassLoader;)V", urls, parent)
    return jni.call(loader, "loadClass", "(Ljava/lang/String;)Ljava/lang/Class;", jni.string(BOOTSTRAP_CLASS))


def _call_bootstrap(jni: Jni, bootstrap: int, namespace: dict[str, object]) -> None:
    try:
        result = jni.call_static_long(bootstrap, "start", "(J)J", id(namespace))
    except (JavaError, JvmError):
        raise
    except Exception as error:
        raise JvmError(f"The engine does not start: {error}") from error
    if result != 0:
        raise JvmError(f"The engine does not start: its entry point returned {result} and set no exception.")
