"""Makes the AOT cache that ``_aot_cache.py`` describes, in two processes: a training run, then the JVM's own tool."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from jvloop import _aot_cache
from jvloop._aot_cache import CacheFile
from jvloop._java_home import JavaHome, JvmError, find_java
from jvloop._jvm import find_jar
from jvloop._jvm_options import jvm_options, try_options

_TIMEOUT_S = 300.0

# A cache may go to a machine with another processor, in a wheel or an image of a container. What it could have, code
# that leads from the interpreter to compiled code and back, does not show in the time of a start (docs/startup.md).
_NO_MACHINE_CODE = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching", "-XX:-AOTStubCaching")


class CacheError(RuntimeError):
    """There can be no AOT cache here; the message says why."""


def make(*, anew: bool = False) -> tuple[str, bool]:
    """Makes a cache for the JVM, jar and options that a start would have now; returns its path, and if it was made.

    A cache that can be used is left alone, unless ``anew``. Of two processes that want the same one, one makes it.
    It takes seconds. Raises CacheError, JvmError or OSError.
    """
    home, jar, options = _what_a_start_has()
    file = _aot_cache.users_file(home, jar, options)
    if file is None:
        raise CacheError("There is no folder for the cache: set JVLOOP_CACHE to one (it may be `off` now)")
    if not anew and (there := _aot_cache.first_usable(home, jar, options)[0]):
        return there.path, False
    _prepare_folder(os.path.dirname(file.path))
    with _alone(os.path.dirname(file.path)):
        if not anew and _aot_cache.why_not(file) is None:
            return file.path, False
        _make(file, home, options)
        _remove_superseded(file)
    _raise_if_unusable(file)
    return file.path, True


def make_beside_jar() -> str:
    """Makes the cache that goes into the wheel with the jar, for the JVM and options of a start; returns its path.

    Raises CacheError, JvmError or OSError.
    """
    home, jar, options = _what_a_start_has()
    file = _aot_cache.file_beside_jar(home, jar, options)
    _make(file, home, options)
    _raise_if_unusable(file)
    return file.path


def _what_a_start_has() -> tuple[JavaHome, str, list[str]]:
    home, jar = find_java(), find_jar()
    options = jvm_options(jar)
    try_options(home, options)
    if chosen := _aot_cache.own_choice(options):
        raise CacheError(f"The option {chosen} leaves no room for a cache of jvloop's")
    return home, jar, options


def _raise_if_unusable(file: CacheFile) -> None:
    if problem := _aot_cache.why_not(file):
        raise CacheError(f"The cache was made, but it is {problem}")


def _prepare_folder(where: str) -> None:
    os.makedirs(os.path.dirname(where), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(where, 0o700)
    if problem := _aot_cache.why_untrusted(where, os.stat(where)):
        raise CacheError(f"A cache there would be {problem}")


@contextlib.contextmanager
def _alone(where: str) -> Iterator[None]:
    """One process at a time. The lock goes with the process, however it ends."""
    descriptor = os.open(os.path.join(where, "lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(file: CacheFile, home: JavaHome, options: list[str]) -> None:
    where = os.path.dirname(file.path)
    with tempfile.TemporaryDirectory(prefix="making-", dir=where) as work:
        seen, made = os.path.join(work, "configuration"), os.path.join(work, "cache")
        _run([sys.executable, "-m", "jvloop._aot_training", seen], "The training run", work)
        java = os.path.join(home.path, "bin", "java")
        create = ["-XX:AOTMode=create", f"-XX:AOTConfiguration={seen}", f"-XX:AOTCache={made}"]
        _run([java, *create, *_NO_MACHINE_CODE, *options], "The JVM", work)
        os.chmod(made, 0o644 if file.beside_jar else 0o600)
        _to_disk(made)
        label = os.path.join(work, "label")
        with open(label, "w", encoding="utf-8", errors="surrogateescape") as text:
            text.write(_aot_cache.whole_label(file, os.stat(made)))
        _to_disk(label)
        # A start in between finds a label that does not fit the cache, and goes without.
        os.replace(made, file.path)
        os.replace(label, file.label_path)


def _run(command: list[str], who: str, work: str) -> None:
    package_parent = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    search_path = os.pathsep.join(filter(None, (package_parent, os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env=os.environ | {"PYTHONPATH": search_path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CacheError(f"{who} was not done after {_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        said = done.stdout.decode(errors="replace").strip()
        raise CacheError(f"{who} failed with exit code {done.returncode}: {said}")


def _to_disk(path: str) -> None:
    with open(path, "rb") as written:
        os.fsync(written.fileno())


def _remove_superseded(file: CacheFile) -> None:
    """Caches of the same JVM and jar, by path, that were there before one of them was replaced by a newer version."""
    where, name = os.path.split(file.path)
    now = file.label.splitlines()[:2]
    for other in os.listdir(where):
        if not other.endswith(".label") or other.partition("-")[0] != name.partition("-")[0]:
            continue
        with contextlib.suppress(OSError, UnicodeDecodeError):
            with open(os.path.join(where, other), encoding="utf-8", errors="surrogateescape") as text:
                if text.read().splitlines()[:2] == now:
                    continue
            for superseded in (other, other.removesuffix(".label") + ".aot"):
                os.unlink(os.path.join(where, superseded))


def main(arguments: list[str]) -> int:
    """``python -m jvloop cache``; returns the exit code."""
    if arguments not in ([], ["--anew"]):
        print("usage: python -m jvloop cache [--anew]", file=sys.stderr)
        return 2
    try:
        path, made = make(anew=bool(arguments))
    except (CacheError, JvmError, OSError) as error:
        print(f"python -m jvloop cache: {error}", file=sys.stderr)
        return 1
    print(f"{'made' if made else 'there already'}: {path}, {os.path.getsize(path) >> 20} MiB")
    return 0
