"""The JVM's AOT cache: the engine's classes as the JVM has them in memory, in a file that later starts map.

With it the first loop is there in about half the time (JEP 483). ``python -m jvloop cache`` makes one; a start uses it
if there is one that fits.

A JVM trusts what it maps, and believes the file's own checksums only at the price of more time than the cache saves. So
a cache is used only if nobody else can have written it, and if it has the size and the time that it was made with; it
becomes visible under its name when it is whole. Beside it lies its *label*, a text that says what it was made for: the
JVM, the jar and the options must be the same, or the JVM would complain and go without. What does not fit is left out
without a word to the program; ``python -m jvloop doctor`` says why.
"""

from __future__ import annotations

import os
import re
import stat
from binascii import crc32
from typing import NamedTuple

from jvloop._java_home import JavaHome

ADVICE = "`python -m jvloop cache` makes one"

# The user's own choice of archives. The JVM ends the process if both kinds of options are there.
_ARCHIVE_OPTION = re.compile(
    r"-Xshare|-XX:(?:AOT|Shared|ArchiveClassesAtExit|DumpLoadedClassList|[+-]AutoCreateShared)"
)
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

# Classes, and no profiles of methods (JEP 515). With those the JIT compiles at the start what the training run used:
# 70 ms of CPU time and 5 MiB more, and 6 ms until the first loop. The first thousand messages of a server take 60 ms
# less, and after twenty thousand it is all the same.
_RECORDING_OPTIONS = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTRecordTraining", "-XX:AOTMode=record")

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
    """What the label says but for its last line, which tells the cache's size and time."""


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
    """What a start with these options does about a cache. Reads two small files at most, and never raises."""
    if recording is not None:
        return CacheChoice((*_RECORDING_OPTIONS, f"-XX:AOTConfiguration={recording}"), "is being made")
    if os.environ.get("JVLOOP_CACHE") == "off":
        return CacheChoice((), "switched off by JVLOOP_CACHE=off")
    if chosen := own_choice(options):
        return CacheChoice((), f"left to the option {chosen}")
    try:
        file = cache_file(home, jar, options)
        if file is None:
            return CacheChoice((), "none: there is no folder for it (no home folder, no JVLOOP_CACHE)")
        problem = why_not(file)
    except (OSError, ValueError) as error:
        return CacheChoice((), f"not usable: {error}")
    if problem is not None:
        return CacheChoice((), problem)
    # Should the JVM refuse it all the same, it goes on without, and without a word.
    return CacheChoice((f"-XX:AOTCache={file.path}", "-Xlog:aot=off", "-Xlog:cds=off"), f"used: {file.path}")


def own_choice(options: list[str]) -> str | None:
    """The option by which the user decides about archives; None if there is none."""
    return next((option for option in [*options, *environment_options()] if _ARCHIVE_OPTION.match(option)), None)


def environment_options() -> list[str]:
    """Options that the JVM itself takes from the environment, whoever starts it."""
    return " ".join(os.environ.get(name, "") for name in ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")).split()


def cache_file(home: JavaHome, jar: str, options: list[str]) -> CacheFile | None:
    """The cache for these; None if there is no folder for it. Raises OSError if the JVM or the jar is not there."""
    where = folder()
    if where is None:
        return None
    shaping = [option for option in options if not option.startswith("-Xss")]
    label = "\n".join(
        [
            f"JVM {_identity(home.libjvm)}",
            f"engine {_identity(jar)}",
            *(f"option {option!r}" for option in [*shaping, *environment_options()]),
        ]
    )
    name = f"{crc32(os.fsencode(f'{home.libjvm}:{jar}')):08x}-{crc32(os.fsencode(label)):08x}"
    return CacheFile(os.path.join(where, f"{name}.aot"), os.path.join(where, f"{name}.label"), label)


def whole_label(file: CacheFile, made: os.stat_result) -> str:
    """The label of a cache that is there."""
    # Whole seconds, which an image of a container keeps.
    return f"{file.label}\ncache {made.st_size} {int(made.st_mtime)}\n"


def why_not(file: CacheFile) -> str | None:
    """Why this cache cannot be used, in words; None if it can."""
    try:
        made = os.lstat(file.path)
        with open(file.label_path, encoding="utf-8", errors="surrogateescape") as text:
            label = text.read()
    except FileNotFoundError:
        return f"none for this JVM, jar and options: {ADVICE}"
    if not stat.S_ISREG(made.st_mode):
        return f"not used: {file.path} is no regular file"
    if problem := why_untrusted(os.path.dirname(file.path), os.stat(os.path.dirname(file.path))):
        return problem
    if problem := why_untrusted(file.path, made):
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
