"""The tests of CPython's test.test_asyncio that are not run on jvloop, each with its reason.

Only two kinds of reason are allowed: the test pokes private attributes of the selector loop, which are named; or it is
about a scope that a later part of the project builds. A behaviour that differs is never a reason: that is a bug.
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


EXCLUSIONS: tuple[Exclusion, ...] = ()


def exclusion_of(test_id: str) -> Exclusion | None:
    """Return the exclusion that holds for this test under this interpreter, if any."""
    return next((exclusion for exclusion in EXCLUSIONS if exclusion.matches(test_id)), None)
