"""Runs tests of one module of test.test_asyncio in this process; started by run.py.

Each event is appended to the report as one line of JSON and flushed, so that whatever the process dies of, the report
tells which test it was in. A test that takes too long ends the process: faulthandler's watchdog thread needs neither
the GIL nor the loop, so it works however the test hangs, and leaves the tracebacks of all threads in the log.
"""

# ruff: noqa: N802  the methods are unittest's

from __future__ import annotations

import argparse
import faulthandler
import fnmatch
import importlib
import json
import signal
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from exclusions import exclusion_of
from subject import LOOPS, LoopCount, put_under_asyncio

PACKAGE = "test.test_asyncio"

ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Reporter(unittest.TestResult):
    """Writes what happens to each test as JSON lines. One ``end`` for each ``start``; fixtures have only an ``end``."""

    def __init__(self, report: TextIO, count: LoopCount, timeout_seconds: float) -> None:
        super().__init__()
        self._report = report
        self._count = count
        self._timeout_seconds = timeout_seconds
        self._outcome: tuple[str, str] | None = None
        self._subject_before = self._plain_before = 0
        self._started_seconds = 0.0

    def emit(self, event: str, **fields: Any) -> None:
        self._report.write(json.dumps({"event": event, **fields}) + "\n")
        self._report.flush()

    def emit_without_start(self, test_id: str, outcome: str, detail: str) -> None:
        self.emit("end", id=test_id, outcome=outcome, detail=detail)

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        faulthandler.dump_traceback_later(self._timeout_seconds, exit=True)
        self._outcome = None
        self._subject_before, self._plain_before = self._count.subject, self._count.plain
        self._started_seconds = time.monotonic()
        self.emit("start", id=short_id(test))

    def stopTest(self, test: unittest.TestCase) -> None:
        faulthandler.cancel_dump_traceback_later()
        outcome, detail = self._outcome or ("failed", "the test ended without an outcome")
        self.emit(
            "end",
            id=short_id(test),
            outcome=outcome,
            detail=detail,
            loops=self._count.subject - self._subject_before,
            plain_loops=self._count.plain - self._plain_before,
            seconds=round(time.monotonic() - self._started_seconds, 3),
        )
        super().stopTest(test)

    def _set(self, test: unittest.TestCase, outcome: str, detail: str) -> None:
        if not isinstance(test, unittest.TestCase) or _is_fixture(test):  # setUpModule, setUpClass and their like
            self.emit_without_start(short_id(test), outcome, detail)
        elif self._outcome is None or self._outcome[0] != "failed":
            self._outcome = (outcome, detail)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self._set(test, "passed", "")

    def addError(self, test: unittest.TestCase, err: ExcInfo) -> None:
        self._set(test, "failed", self._text(err, test))

    def addFailure(self, test: unittest.TestCase, err: ExcInfo) -> None:
        self._set(test, "failed", self._text(err, test))

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: ExcInfo | None) -> None:
        if err is not None:
            self._set(test, "failed", f"{subtest}\n{self._text(err, test)}")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        if self._outcome is None:  # a skipped subtest does not undo a failure
            self._set(test, "skipped", reason)

    def addExpectedFailure(self, test: unittest.TestCase, err: ExcInfo) -> None:
        self._set(test, "passed", "expected failure")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._set(test, "failed", "unexpected success")

    def _text(self, err: ExcInfo, test: unittest.TestCase) -> str:
        return str(self._exc_info_to_string(err, test))  # type: ignore[attr-defined]


def _is_fixture(test: unittest.TestCase) -> bool:
    return type(test).__name__ == "_ErrorHolder"


def short_id(test: unittest.TestCase) -> str:
    return test.id().replace(f"{PACKAGE}.", "")


def flatten(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def selected(test_id: str, patterns: list[str]) -> bool:
    """A pattern selects a test by its id, by a prefix of it that ends at a dot, or by fnmatch wildcards."""
    return not patterns or any(
        test_id == pattern or test_id.startswith(pattern + ".") or fnmatch.fnmatchcase(test_id, pattern)
        for pattern in patterns
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--loop", choices=LOOPS, required=True)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--timeout", type=float, required=True)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--excluded", choices=("leave", "only", "also"), required=True)
    parser.add_argument("--tests", type=Path, help="a file of test ids or patterns, one per line")
    parser.add_argument("--done", type=Path, help="a file of test ids that an earlier process dealt with")
    parser.add_argument("module")
    options = parser.parse_args()

    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with SIGINT ignored
    count = put_under_asyncio(options.loop)
    patterns = options.tests.read_text().splitlines() if options.tests else []
    done = set(options.done.read_text().splitlines()) if options.done else set()
    with options.report.open("a") as report:
        reporter = Reporter(report, count, options.timeout)
        try:
            module = importlib.import_module(f"{PACKAGE}.{options.module}")
        except unittest.SkipTest as skip:
            reporter.emit_without_start(options.module, "skipped", str(skip))
            reporter.emit("done")
            return
        suite = unittest.TestSuite()
        for test in flatten(unittest.defaultTestLoader.loadTestsFromModule(module)):
            test_id = short_id(test)
            if test_id in done or not selected(test_id, patterns):
                continue
            exclusion = exclusion_of(test_id) if options.loop == "jvloop" else None
            if options.list:
                reporter.emit("listed", id=test_id, excluded=exclusion.reason if exclusion else None)
            elif exclusion and options.excluded == "leave":
                reporter.emit("excluded", id=test_id, detail=exclusion.reason)
            elif exclusion or options.excluded != "only":
                suite.addTest(test)
        suite.run(reporter)
        reporter.emit("done")


if __name__ == "__main__":
    main()
