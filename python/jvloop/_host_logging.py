# ruff: noqa: N802  some of the methods are those of logging's classes
"""Python's log records in a Java program's log, under the same logger names.

A handler on the root logger gives records to Java. Java also says from which level on it logs a name, and that is what
a Python logger without a level of its own goes by: a record that Java would drop is then not made. Java's levels may
change while it runs, so it is asked again, but not each time: what it said is true for half a second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import ClassVar

from jvloop import _fork

_JavaThreshold = Callable[[str], int]
"""The lowest number that Java logs under a name."""
_JavaLog = Callable[[str, int, str, BaseException | None, str | None, str | None], None]
"""Takes name, level, message, exception, function and thread."""

_KEPT_S = 0.5


class _Thread(threading.local):
    is_in_java = False


class JavaHandler(logging.Handler):
    """Gives records to Java. What its loggers log by themselves, in Python again, goes to ``logging.lastResort``."""

    def __init__(self, threshold: _JavaThreshold, log: _JavaLog) -> None:
        super().__init__()
        self._threshold = threshold
        self._log = log
        self._thread = _Thread()
        self._known: dict[str, tuple[int, float]] = {}

    def createLock(self) -> None:
        # Java's loggers are safe for threads; and whoever waited for a lock here might hold one that they want.
        self.lock = None

    @property
    def is_in_use(self) -> bool:
        """Whether Python code has not put other handlers in its place, and Java can be called."""
        return self in logging.root.handlers and not _fork.jvm_is_gone

    def java_level(self, name: str) -> int:
        """The number from which on Java logs a name."""
        level, until = self._known.get(name, (0, 0.0))
        now = time.monotonic()
        if now < until:
            return level
        if self._thread.is_in_java:
            return logging.WARNING
        self._thread.is_in_java = True
        try:
            level = self._threshold(name)
        finally:
            self._thread.is_in_java = False
        self._known[name] = (level, now + _KEPT_S)
        return level

    def handle(self, record: logging.LogRecord) -> bool:
        filtered = self.filter(record)
        if filtered:
            self.emit(filtered if isinstance(filtered, logging.LogRecord) else record)
        return bool(filtered)

    def emit(self, record: logging.LogRecord) -> None:
        if self._thread.is_in_java or _fork.jvm_is_gone:
            if logging.lastResort is not None and record.levelno >= logging.lastResort.level:
                logging.lastResort.handle(record)
            return
        try:
            if record.levelno >= self.java_level(record.name):
                self._give(record)
        except Exception:
            self.handleError(record)

    def _give(self, record: logging.LogRecord) -> None:
        message = self.format(record) if self.formatter else _message(record)
        exception = record.exc_info[1] if record.exc_info else None
        self._thread.is_in_java = True
        try:
            self._log(record.name, record.levelno, message, exception, record.funcName, record.threadName)
        finally:
            self._thread.is_in_java = False


def _message(record: logging.LogRecord) -> str:
    # The text of an exception that is not here any more, as from another process.
    exception_text = None if record.exc_info else record.exc_text
    return "\n".join(filter(None, (record.getMessage(), exception_text, record.stack_info)))


class JavaLogger(logging.Logger):
    """A logger that goes by Java's level where Python code has set none, on it or on one above."""

    handler: ClassVar[JavaHandler]
    _cache: dict[int, bool]
    """``logging.Logger``'s: which levels are enabled. It forgets when a level is set in Python."""
    _fresh_until_s = 0.0

    def isEnabledFor(self, level: int) -> bool:
        now = time.monotonic()
        if now >= self._fresh_until_s:
            self._cache.clear()
            self._fresh_until_s = now + _KEPT_S
        return super().isEnabledFor(level)

    def getEffectiveLevel(self) -> int:
        level = super().getEffectiveLevel()
        if level == logging.WARNING and self.handler.is_in_use and self._is_roots():
            # Not above it: other handlers on this logger count on that.
            return min(level, self._java_level())
        return level

    def _java_level(self) -> int:
        try:
            return self.handler.java_level(self.name)
        except Exception:
            # A question about a level raises nothing. The handler asks the same for a record, and reports it.
            return logging.WARNING

    def _is_roots(self) -> bool:
        """Whether the level is the one that the root logger has from the start."""
        logger: logging.Logger | None = self
        while logger is not None:
            if logger.level:
                return logger is logging.root
            logger = logger.parent
        return False


class _JavaRootLogger(JavaLogger, logging.RootLogger):
    pass


def log_to_java(threshold: _JavaThreshold, log: _JavaLog) -> None:
    """Has records go to Java, unless code that came first has decided where they go."""
    root = logging.root
    if root.handlers or logging.getLoggerClass() is not logging.Logger:
        return
    JavaLogger.handler = JavaHandler(threshold, log)
    logging.setLoggerClass(JavaLogger)
    # Those that there are already, of the modules that brought us here.
    for logger in logging.Logger.manager.loggerDict.values():
        if type(logger) is logging.Logger:
            logger.__class__ = JavaLogger
    root.__class__ = _JavaRootLogger
    root.addHandler(JavaLogger.handler)
