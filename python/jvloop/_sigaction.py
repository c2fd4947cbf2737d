"""``sigaction(2)`` for whole dispositions.

Python's ``signal`` module only knows handlers that it installed itself; a disposition that a C library installed (the
JVM's, faulthandler's) can be saved and put back only as the structure the kernel interface uses.
"""

from __future__ import annotations

import ctypes
import os
import signal

_libc = ctypes.CDLL(None, use_errno=True)


class _Structure(ctypes.Structure):
    # struct sigaction of glibc and musl on 64-bit Linux; only handler and mask are ever looked at.
    _fields_ = (
        ("handler", ctypes.c_size_t),
        ("mask", ctypes.c_uint8 * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_size_t),
    )


class SignalAction:
    """One signal's disposition, opaque but for the address of its handler and the signals that wait while it runs."""

    __slots__ = ("_structure",)

    def __init__(self) -> None:
        """The default disposition (SIG_DFL)."""
        self._structure = _Structure()

    @property
    def handler(self) -> int:
        """Address of the handler function; 0 is SIG_DFL, 1 is SIG_IGN."""
        return int(self._structure.handler)

    @classmethod
    def of(cls, signum: int) -> SignalAction:
        """The disposition of ``signum`` now. Raises OSError for a number that is not a signal."""
        action = cls()
        if _libc.sigaction(signum, None, ctypes.byref(action._structure)) != 0:
            raise _error(signum)
        return action

    def let_through(self, signum: int) -> None:
        """Lets the handler be interrupted by ``signum``. Raises OSError for a number that is not a signal."""
        if _libc.sigdelset(ctypes.byref(self._structure, _Structure.mask.offset), signum) != 0:
            raise _error(signum)

    def apply_to(self, signum: int) -> None:
        """Makes this the disposition of ``signum``. Raises OSError where the kernel does not allow it."""
        if _libc.sigaction(signum, ctypes.byref(self._structure), None) != 0:
            raise _error(signum)


def _error(signum: int) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"sigaction of signal {signum}: {os.strerror(number)}")


def default_realtime_signal() -> int:
    """The highest real-time signal that nobody has taken. Raises OSError if all are taken."""
    for signum in range(signal.SIGRTMAX, signal.SIGRTMIN, -1):
        if SignalAction.of(signum).handler == 0:
            return signum
    raise OSError("every real-time signal has a handler")
