"""Aids for tests: a clock that jumps instead of waiting, an order decided by a seed, and system calls that fail.

docs/testing.md is the guide.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import ctypes
import weakref
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from jvloop import _bindings
from jvloop._loop import Loop

__all__ = ["Faults", "VirtualClock", "faults", "new_event_loop", "run"]

_T = TypeVar("_T")
_NANOS_PER_SECOND = 1_000_000_000


class VirtualClock:
    """A loop's time in seconds that stands still while there is something to do, and jumps where a loop would wait.

    It jumps to the next timer once nothing is ready and no I/O is there to hand out, after waiting for I/O for
    *patience* real seconds, and not while the loop waits for real work: a job in an executor, a child process
    (unless *wait_for_work* is false), or whatever the program says by :meth:`held`. With *autojump* false it never
    jumps, and only :meth:`advance` moves it.

    One clock may serve several loops of one thread. Raises ValueError for a negative patience.
    """

    __slots__ = ("__weakref__", "_autojump", "_children", "_holds", "_state", "_wait_for_work")

    def __init__(
        self, start: float = 0.0, *, autojump: bool = True, patience: float = 0.0, wait_for_work: bool = True
    ) -> None:
        if not patience >= 0:
            raise ValueError(f"patience must not be negative: {patience!r}")
        # Java reads and writes these two words (VirtualClock.java).
        self._state = array.array("q", [_nanos(start), _nanos(patience)])
        self._autojump = autojump
        self._wait_for_work = wait_for_work
        self._holds = 0
        self._children: weakref.WeakSet[asyncio.SubprocessTransport] = weakref.WeakSet()

    def time(self) -> float:
        """The time in seconds, which is ``loop.time()`` of the clock's loops. Any thread."""
        return self._state[0] / _NANOS_PER_SECOND

    def advance(self, seconds: float) -> None:
        """Moves the time; timers that have become due run in the loop's next iteration. The loop's thread only.

        Raises ValueError for a negative number or NaN.
        """
        if not seconds >= 0:
            raise ValueError(f"time only goes forward: {seconds!r}")
        self._state[0] += _nanos(seconds)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The time does not jump within: for real work that the loop cannot know of."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1

    def _is_held(self) -> bool:
        """Called by Java before a jump."""
        if self._holds or not self._autojump:
            return True
        return self._wait_for_work and any(child.get_returncode() is None for child in self._children)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} time={self.time()}>"


def _nanos(seconds: float) -> int:
    return round(seconds * _NANOS_PER_SECOND)


class _ControlledLoop(Loop):
    """A loop with a virtual clock, a seed, or both."""

    def __init__(self, clock: VirtualClock | None, seed: int | None) -> None:
        super().__init__()
        self._clock = clock
        _bindings.attach_methods(self, "testing")
        if clock is not None:
            self._use_clock(clock, clock._state.buffer_info()[0])
        if seed is not None:
            self._use_seed(_java_long(seed))

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """As asyncio's. The virtual time waits for the job."""
        future: asyncio.Future[Any] = super().run_in_executor(executor, func, *args)
        if self._clock is not None and self._clock._wait_for_work:
            hold = self._clock.held()
            hold.__enter__()
            future.add_done_callback(lambda _: hold.__exit__(None, None, None))
        return future

    async def shutdown_default_executor(self, *args: Any, **kwargs: Any) -> None:
        """As asyncio's. Its time limit is meant in real time."""
        with self._holding():
            await super().shutdown_default_executor(*args, **kwargs)

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> Any:
        """As asyncio's. The virtual time waits for the child."""
        with self._holding():
            return self._with_child(await super().subprocess_exec(*args, **kwargs))

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> Any:
        """As asyncio's. The virtual time waits for the child."""
        with self._holding():
            return self._with_child(await super().subprocess_shell(*args, **kwargs))

    def _holding(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext() if self._clock is None else self._clock.held()

    def _with_child(self, pair: tuple[asyncio.SubprocessTransport, Any]) -> tuple[asyncio.SubprocessTransport, Any]:
        if self._clock is not None:
            self._clock._children.add(pair[0])
        return pair


def new_event_loop(*, clock: VirtualClock | None = None, seed: int | None = None) -> Loop:
    """A new jvloop event loop for a test.

    With a *clock*, the loop's time is the clock's. With a *seed*, what asyncio promises no order for has one that the
    seed decides: tasks that are ready in one iteration, timers of one deadline, I/O events of one poll.

    Raises JvmError if the engine cannot be started here.
    """
    return _ControlledLoop(clock, seed)


def run(
    main: Coroutine[Any, Any, _T],
    *,
    clock: VirtualClock | None = None,
    seed: int | None = None,
    debug: bool | None = None,
) -> _T:
    """Runs ``main`` as jvloop.run() does, on a loop of new_event_loop()."""
    if asyncio._get_running_loop() is not None:
        raise RuntimeError("jvloop.testing.run() cannot be called from a running event loop")
    with asyncio.Runner(debug=debug, loop_factory=lambda: new_event_loop(clock=clock, seed=seed)) as runner:
        return runner.run(main)


class _Block(ctypes.Structure):
    """Wishes and counters, in memory that Java reads and writes (FaultySystemCalls.java)."""

    _fields_ = [
        ("max_read", ctypes.c_int64),
        ("max_write", ctypes.c_int64),
        ("interrupt_probability", ctypes.c_double),
        ("reset_after", ctypes.c_int64),
        ("refused_accepts", ctypes.c_int64),
        ("is_seeded", ctypes.c_int64),
        ("seed", ctypes.c_int64),
        ("short_reads", ctypes.c_int64),
        ("short_writes", ctypes.c_int64),
        ("interruptions", ctypes.c_int64),
        ("resets", ctypes.c_int64),
        ("refusals", ctypes.c_int64),
    ]


class Faults:
    """What faults() has done so far."""

    __slots__ = ("_block",)

    def __init__(self, block: _Block) -> None:
        self._block = block

    @property
    def short_reads(self) -> int:
        """Reads that gave all they were allowed to, and less than there was room for."""
        return int(self._block.short_reads)

    @property
    def short_writes(self) -> int:
        """Writes of which only a part was sent."""
        return int(self._block.short_writes)

    @property
    def interruptions(self) -> int:
        """System calls that failed with EINTR."""
        return int(self._block.interruptions)

    @property
    def resets(self) -> int:
        """Reads and writes that failed with ECONNRESET."""
        return int(self._block.resets)

    @property
    def refusals(self) -> int:
        """Calls of accept that failed with EMFILE."""
        return int(self._block.refusals)

    def __repr__(self) -> str:
        names = ("short_reads", "short_writes", "interruptions", "resets", "refusals")
        return f"<Faults {' '.join(f'{name}={getattr(self, name)}' for name in names)}>"


_installed: weakref.WeakKeyDictionary[Loop, _Block] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def faults(
    loop: asyncio.AbstractEventLoop,
    *,
    short_reads: int | None = None,
    short_writes: int | None = None,
    eintr: float = 0.0,
    reset_after: int | None = None,
    emfile_on_accept: int = 0,
    seed: int | None = None,
) -> Iterator[Faults]:
    """Makes the loop's system calls fail within, those of stream transports and servers, old and new ones.

    short_reads: a read gives at most so many bytes. short_writes: a write takes at most so many. With a *seed* the
    limit is drawn anew for each call, from 1 to these. eintr: the probability, below 1, that a call is interrupted
    and has done nothing. reset_after: a connection fails with ECONNRESET once so many bytes went over it, both ways
    counted together, from now on or from its beginning. emfile_on_accept: so many accepts fail with EMFILE.

    Gives the counters of what was done. Faults within faults replace them till their end. The loop's thread only.
    Raises TypeError for a loop that is not jvloop's, ValueError for numbers out of range.
    """
    if not isinstance(loop, Loop):
        raise TypeError(f"a jvloop event loop is required, not {type(loop).__name__}")
    for name, least in (("short_reads", short_reads), ("short_writes", short_writes)):
        if least is not None and least < 1:
            raise ValueError(f"{name} must be 1 or more: {least!r}")
    if not 0 <= eintr < 1:
        raise ValueError(f"eintr must be a probability below 1: {eintr!r}")
    if emfile_on_accept < 0 or (reset_after is not None and reset_after < 0):
        raise ValueError("reset_after and emfile_on_accept must not be negative")
    block = _Block(
        max_read=short_reads or 0,
        max_write=short_writes or 0,
        interrupt_probability=eintr,
        reset_after=-1 if reset_after is None else reset_after,
        refused_accepts=emfile_on_accept,
        is_seeded=seed is not None,
        seed=_java_long(seed or 0),
    )
    before = _installed.get(loop)
    _install(loop, block)
    try:
        yield Faults(block)
    finally:
        _install(loop, before)


def _install(loop: Loop, block: _Block | None) -> None:
    _bindings.attach_methods(loop, "testing")
    # Kept here as long as Java may use it.
    if block is None:
        loop._use_faults(0)
        _installed.pop(loop, None)
    else:
        loop._use_faults(ctypes.addressof(block))
        _installed[loop] = block


def _java_long(number: int) -> int:
    return number & 0x7FFF_FFFF_FFFF_FFFF
