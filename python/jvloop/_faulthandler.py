"""Lets faulthandler and the JVM live in one process.

Both want SIGSEGV, SIGBUS, SIGFPE and SIGILL. faulthandler wants them to report a crash; HotSpot needs them to run at
all: a safepoint stops compiled Java code by protecting a page it reads, and a null check in compiled code is a fault
that the handler turns into a NullPointerException. So the JVM always owns the four, in whichever order they came.
Nothing is lost: on a real crash the JVM writes its report and calls ``abort()``, and SIGABRT belongs to faulthandler,
which then prints Python's traceback. So SIGABRT must not be blocked while the JVM's handler runs, which the JVM asks
for: ``abort()`` of older C libraries (seen: glibc 2.36) unblocks it, newer ones (glibc 2.43) end the process then.

Rejected: letting the JVM chain to faulthandler (what happens by itself if faulthandler came first). faulthandler's
handler ends the process, so the JVM's own report is never written, and ``faulthandler.disable()`` would take the
signals from the JVM.
"""

from __future__ import annotations

import faulthandler
import functools
import signal
from collections.abc import Callable

from jvloop._sigaction import SignalAction

JVM_SIGNALS: tuple[int, ...] = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
"""The signals that HotSpot cannot run without."""

_jvm_actions: dict[int, SignalAction] = {}
"""The JVM's dispositions of JVM_SIGNALS once it runs here; empty before."""


def _faulthandler_owns(signum: int) -> bool:
    # It has one handler function for all its signals, and nobody else in this process takes SIGABRT.
    return faulthandler.is_enabled() and SignalAction.of(signum).handler == SignalAction.of(signal.SIGABRT).handler


def release_for_jvm() -> None:
    """Takes the JVM's signals from faulthandler, so that a JVM created next does not chain to it."""
    for signum in JVM_SIGNALS:
        if _faulthandler_owns(signum):
            SignalAction().apply_to(signum)


def adopt_jvm_signals() -> None:
    """Remembers the dispositions a JVM that was just created has installed, and defends them from now on."""
    for signum in JVM_SIGNALS:
        action = SignalAction.of(signum)
        action.let_through(signal.SIGABRT)
        action.apply_to(signum)
        _jvm_actions[signum] = action
    _defend(faulthandler, "enable")
    _defend(faulthandler, "disable")


def adopt_foreign_jvm_signals() -> None:
    """As adopt_jvm_signals, for a JVM that somebody else created, maybe before faulthandler was enabled.

    In that case only faulthandler knows the JVM's dispositions: disabling it brings them back. It is then enabled again
    with its default arguments, as it does not say which ones it was given.
    """
    hidden = any(_faulthandler_owns(signum) for signum in JVM_SIGNALS)
    if hidden:
        faulthandler.disable()
    adopt_jvm_signals()
    if hidden:
        faulthandler.enable(file=2)


def reclaim_signals() -> bool:
    """Gives the JVM its signals back if somebody took them by a road that is not watched; true if that was so.

    One system call when all is well. Does nothing before the JVM runs. Any thread.
    """
    action = _jvm_actions.get(signal.SIGSEGV)
    if action is None or SignalAction.of(signal.SIGSEGV).handler == action.handler:
        return False
    _reinstall()
    return True


def _reinstall() -> None:
    for signum, action in _jvm_actions.items():
        action.apply_to(signum)


def _defend(module: object, name: str) -> None:
    """Wraps a function of the faulthandler module so that the JVM's signals survive it."""
    original: Callable[..., object] = getattr(module, name)
    if hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def defended(*args: object, **kwargs: object) -> object:
        try:
            return original(*args, **kwargs)
        finally:
            _reinstall()

    setattr(module, name, defended)
