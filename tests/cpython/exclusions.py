"""The tests of CPython's test.test_asyncio that are not run on jvloop, each with its reason.

Two kinds of reason are allowed: the test pokes private attributes of the selector loop, which are named; or it runs a
loop in a forked child, which the design's laws answer with a RuntimeError. Any other behaviour that differs is a bug.
``run.py --check-exclusions`` runs exactly these tests and fails if one of them passes.
"""

from __future__ import annotations

import fnmatch
import sys
from dataclasses import dataclass

ALL = ("3.11", "3.12", "3.13", "3.14")


@dataclass(frozen=True)
class Exclusion:
    """One excluded test, or several by a pattern.

    ``pattern`` is a test id as run.py prints it (``module.Class.method``), with fnmatch wildcards. ``versions`` are
    the Python versions it holds for.
    """

    pattern: str
    reason: str
    versions: tuple[str, ...] = ALL

    def matches(self, test_id: str) -> bool:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return version in self.versions and fnmatch.fnmatchcase(test_id, self.pattern)


_FORK = (
    "runs a loop in a forked child that inherited the JVM: there jvloop raises RuntimeError instead (law 9 of the "
    "design, docs/compatibility.md), since the JVM's threads do not survive a fork"
)

EXCLUSIONS: tuple[Exclusion, ...] = (
    Exclusion("test_events.TestCGetEventLoop.test_get_event_loop_new_process", _FORK, ("3.11",)),
    Exclusion("test_events.TestPyGetEventLoop.test_get_event_loop_new_process", _FORK, ("3.11",)),
    Exclusion("test_unix_events.TestFork.test_fork_not_share_event_loop", _FORK, ("3.12", "3.13", "3.14")),
    Exclusion("test_unix_events.TestFork.test_fork_asyncio_run", _FORK, ("3.12", "3.13", "3.14")),
    Exclusion("test_unix_events.TestFork.test_fork_asyncio_subprocess", _FORK, ("3.12", "3.13", "3.14")),
)


def exclusion_of(test_id: str) -> Exclusion | None:
    """Return the exclusion that holds for this test under this interpreter, if any."""
    return next((exclusion for exclusion in EXCLUSIONS if exclusion.matches(test_id)), None)
