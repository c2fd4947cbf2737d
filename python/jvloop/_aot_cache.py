"""The JVM's AOT cache: the engine's classes as the JVM has them in memory, in a file that later starts map.

With it the first loop is there in about half the time (JEP 483). There are two places for one. The wheel brings a cache
beside the engine's jar, for the Java runtime that jvloop depends on, and with the options that jvloop gives it by
itself. For any other runtime or options ``python -m jvloop cache`` makes one in a folder of the user's. A start uses
what fits, the user's first.

A JVM trusts what it maps, and believes the file's own checksums only at the price of more time than the cache saves. So
beside each cache lies its *label*, a text that says what it was made for: the JVM, the jar and the options must be the
same, or the JVM would complain and go without, or take the classes of another jar for those of this one. A cache of the
user's is used only if nobody else can have written it, and if it has the size and the time that it was made with; it
becomes visible under its name when it is whole. One beside a jar is trusted as the jar is: who may write the one may
write the other. What does not fit is left out without a word to the program; ``python -m jvloop doctor`` says why.
"""

from __future__ import annotations

import os
import stat
from binascii import crc32
from typing import NamedTuple

from jvloop._java_home import JavaHome

ADVICE = "`python -m jvloop cache` makes one"

# The user's own choice of archives. The JVM ends the process if both kinds of options are there.
_ARCHIVE_OPTIONS = (
    "-Xshare",
    "-XX:AOT",
    "-XX:Shared",
    "-XX:ArchiveClassesAtExit",
    "-XX:DumpLoadedClassList",
    "-XX:+AutoCreateShared",
    "-XX:-AutoCreateShared",
)
_USED = "used: "
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
# The directory at the end of a jar: some 100 bytes for each of the engine's few hundred files.
_JAR_DIRECTORY_BYTES = 1 << 16

# Classes, and no profiles of methods (JEP 515). With those the JIT compiles at the start what the training run used:
# 70 ms of CPU time and 5 MiB more, and 6 ms until the first loop. The first thousand messages of a server take 60 ms
# less, and after twenty thousand it is all the same.
_RECORDING_OPTIONS = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTRecordTraining", "-XX:AOTMode=record")
# Should the JVM refuse the cache, it goes on without, and without a word. For profiles it would start a thread, which
# has nothing to do where there are none.
_USING_OPTIONS = ("-Xlog:aot=off", "-Xlog:cds=off", "-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTReplayTraining")

recording: str | None = None
"""Set in the process of a training run: where the JVM writes what it has seen."""


class CacheChoice(NamedTuple):
    """Whether a start uses a cache."""

    options: tuple[str, ...]
    """Options for the JVM; they come before all others."""
    outcome: str
    """In words, for people."""


class CacheFile(NamedTuple):
    """The cache that belongs to a JVM, a jar and options, whether it exists or not."""

    path: str
    label_path: str
    label: str
    """What the label says but for its last line, which tells the cache's size, and of a user's the time."""
    beside_jar: bool
    """Whether its place is beside the engine's jar, wherever an installer put that; else it is this user's."""


def folder() -> str | None:
    """Where caches are kept; None if there shall be none.

    ``JVLOOP_CACHE`` names the folder or says ``off``; else it is ``$XDG_CACHE_HOME/jvloop``, or ``~/.cache/jvloop``.
    """
    ordered = os.environ.get("JVLOOP_CACHE")
    if ordered:
        return None if ordered == "off" else os.path.abspath(ordered)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "jvloop", "aot") if os.path.isabs(base) else None


def choose(home: JavaHome, jar: str, options: list[str]) -> CacheChoice:
    """What a start with these options does about a cache. Reads a few small files at most, and never raises."""
    if recording is not None:
        return CacheChoice((*_RECORDING_OPTIONS, f"-XX:AOTConfiguration={recording}"), "is being made")
    if os.environ.get("JVLOOP_CACHE") == "off":
        return CacheChoice((), "switched off by JVLOOP_CACHE=off")
    if chosen := own_choice(options):
        return CacheChoice((), f"left to the option {chosen}")
    try:
        file, problem = first_usable(home, jar, options)
    except (OSError, ValueError) as error:
        return CacheChoice((), f"not usable: {error}")
    if file is None:
        return CacheChoice((), problem)
    return CacheChoice((*_USING_OPTIONS, f"-XX:AOTCache={file.path}"), f"{_USED}{file.path}")


def as_it_turned_out(outcome: str) -> str:
    """The outcome of a choice, now that the JVM runs in this process: it may have refused the cache. Takes a moment."""
    path = outcome.removeprefix(_USED)
    if path == outcome:
        return outcome
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        mapped = any(line.endswith(f" {os.path.realpath(path)}\n") for line in maps)
    return outcome if mapped else f"refused by the JVM: {path}; `python -m jvloop cache --anew` makes another one"


def first_usable(home: JavaHome, jar: str, options: list[str]) -> tuple[CacheFile | None, str]:
    """The cache for a start; or None, and why there is no cache of the user's, in words."""
    users = users_file(home, jar, options)
    problem = why_not(users) if users else "none: there is no folder for it (no home folder, no JVLOOP_CACHE)"
    if problem is None:
        return users, ""
    beside = file_beside_jar(home, jar, options)
    return (beside, "") if why_not(beside) is None else (None, problem)


def own_choice(options: list[str]) -> str | None:
    """The option by which the user decides about archives; None if there is none."""
    every = [*options, *environment_options()]
    return next((option for option in every if option.startswith(_ARCHIVE_OPTIONS)), None)


def environment_options() -> list[str]:
    """Options that the JVM itself takes from the environment, whoever starts it."""
    return " ".join(os.environ.get(name, "") for name in ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")).split()


def users_file(home: JavaHome, jar: str, options: list[str]) -> CacheFile | None:
    """The user's cache for these; None if there is no folder for it. Raises OSError without the JVM or the jar."""
    where = folder()
    if where is None:
        return None
    label = _label(f"JVM {_identity(home.libjvm)}", f"engine {_identity(jar)}", options)
    name = f"{crc32(os.fsencode(f'{home.libjvm}:{jar}')):08x}-{crc32(os.fsencode(label)):08x}"
    return CacheFile(os.path.join(where, f"{name}.aot"), os.path.join(where, f"{name}.label"), label, False)


def file_beside_jar(home: JavaHome, jar: str, options: list[str]) -> CacheFile:
    """The cache that goes with the jar, for these. Raises OSError without the JVM or the jar.

    Its label knows nothing of paths and times, which an installer chooses: the JVM is known by its version and size,
    and beyond that the JVM looks itself whether it is the very same build. The jar is known by what stands at its end,
    which has the checksums of all that is in it.
    """
    stem = os.path.splitext(jar)[0]
    jvm = f"JVM {home.version} {os.path.getsize(home.libjvm)}"
    shaping = [option for option in options if option != f"-Djava.class.path={jar}"]
    return CacheFile(f"{stem}.aot", f"{stem}.label", _label(jvm, f"engine {_contents(jar)}", shaping), True)


def _label(jvm: str, engine: str, options: list[str]) -> str:
    shaping = [option for option in options if not option.startswith("-Xss")]
    return "\n".join([jvm, engine, *(f"option {option!r}" for option in [*shaping, *environment_options()])])


def whole_label(file: CacheFile, made: os.stat_result) -> str:
    """The label of a cache that is there."""
    # Whole seconds, which an image of a container keeps. An installer keeps no time at all.
    time = "" if file.beside_jar else f" {int(made.st_mtime)}"
    return f"{file.label}\ncache {made.st_size}{time}\n"


def why_not(file: CacheFile) -> str | None:
    """Why this cache cannot be used, in words; None if it can."""
    try:
        made = os.stat(file.path, follow_symlinks=file.beside_jar)  # some installers make links
        with open(file.label_path, encoding="utf-8", errors="surrogateescape") as text:
            label = text.read()
    except FileNotFoundError:
        return f"none for this JVM, jar and options: {ADVICE}"
    except OSError as error:
        return f"not usable: {error}"
    if not file.beside_jar:
        where = os.path.dirname(file.path)
        if not stat.S_ISREG(made.st_mode):
            return f"not used: {file.path} is no regular file"
        if problem := why_untrusted(where, os.stat(where)) or why_untrusted(file.path, made):
            return problem
    if label != whole_label(file, made):
        return f"not used: {file.path} is not as it was made: {ADVICE}"
    return None


def why_untrusted(path: str, found: os.stat_result) -> str | None:
    """Why others than this user and root may have written there; None if they cannot."""
    if found.st_uid not in (os.geteuid(), 0):
        return f"not used: {path} belongs to another user"
    if found.st_mode & _OTHERS_MAY_WRITE:
        return f"not used: others may write to {path}"
    return None


def _identity(path: str) -> str:
    found = os.stat(path)
    return f"{path!r} {found.st_size} {int(found.st_mtime)}"


def _contents(jar: str) -> str:
    with open(jar, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - _JAR_DIRECTORY_BYTES))
        return f"{size} {crc32(file.read()):08x}"
