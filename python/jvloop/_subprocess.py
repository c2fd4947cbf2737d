"""Children of asyncio's subprocesses: each is watched by a pidfd in the loop's own poller, and reaped by the loop.

asyncio leaves this to the policy's child watcher: on 3.11 a thread for each child, from 3.12 on a pidfd where the
kernel has them. Here it is a pidfd on every version, so a loop of any thread can have children, without a thread and
without asking the policy for a watcher, which warns. Starting the child and its pipes are asyncio's own code,
but for what ``_preexec.py`` does.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import os
from asyncio import unix_events as _unix_events
from asyncio.log import logger
from typing import TYPE_CHECKING, Any

from jvloop._preexec import DeferredPreexec
from jvloop._selector import READ

if TYPE_CHECKING:
    from jvloop._loop import Loop

unix_events: Any = _unix_events
_AsyncioTransport: Any = _unix_events._UnixSubprocessTransport  # type: ignore[attr-defined]

_LOOPS_HAVE_WATCHERS = hasattr(unix_events, "_ThreadedChildWatcher")
"""From Python 3.14 on each loop has one, asyncio's choice."""

_TRACED_CHILD_RETRY_S = 0.02
_UNKNOWN_RETURNCODE = 255


def is_left_to_asyncio(loop: Any) -> bool:
    """Whether asyncio's child watcher has to do it: the program set one of another kind, or there are no pidfds."""
    if _LOOPS_HAVE_WATCHERS:
        return isinstance(loop._watcher, unix_events._ThreadedChildWatcher)
    return _has_other_watcher() or not _has_pidfds()


@functools.cache
def _has_pidfds() -> bool:
    if not hasattr(os, "pidfd_open"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError as exc:
        # An old kernel, or a sandbox that forbids the call.
        if exc.errno in (errno.ENOSYS, errno.EPERM):
            return False
        raise
    return True


def _has_other_watcher() -> bool:
    policy: Any = asyncio.get_event_loop_policy()
    getter = getattr(policy.get_child_watcher, "__func__", None)
    if getter is not unix_events.DefaultEventLoopPolicy.get_child_watcher:
        return getter is not asyncio.AbstractEventLoopPolicy.get_child_watcher
    # Asking the getter would make a watcher, and warn from 3.12 on.
    watcher = policy._watcher
    usual = (type(None), unix_events.ThreadedChildWatcher, unix_events.PidfdChildWatcher)
    return type(watcher) not in usual


async def start(
    loop: Loop,
    protocol: asyncio.SubprocessProtocol,
    args: Any,
    shell: bool,
    *streams: Any,
    extra: dict[str, Any] | None,
    **kwargs: Any,
) -> asyncio.SubprocessTransport:
    """Starts a child and connects its pipes. ``streams`` are stdin, stdout, stderr and bufsize as Popen takes them.

    Raises what Popen raises, and what connecting a pipe raises once the child is killed and reaped.
    """
    waiter = loop.create_future()
    kind = SubprocessTransport if kwargs.get("preexec_fn") is None else PreexecTransport
    transport = kind(loop, protocol, args, shell, *streams, waiter=waiter, extra=extra, **kwargs)
    _watch(loop, transport)
    try:
        await waiter
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException:
        transport.close()
        await transport.reaped()
        raise
    started: asyncio.SubprocessTransport = transport
    return started


class SubprocessTransport(_AsyncioTransport):  # type: ignore[misc]
    """asyncio's transport of a child, whose end alone can be waited for."""

    _reaped: asyncio.Future[None] | None = None

    async def reaped(self) -> None:
        """Waits for the end of the child alone.

        asyncio's _wait() waits for pipes as well on some versions, also for those never connected.
        """
        if self._returncode is None:
            self._reaped = self._loop.create_future()
            await self._reaped

    def _process_exited(self, returncode: int) -> None:
        super()._process_exited(returncode)
        if self._reaped is not None and not self._reaped.done():
            self._reaped.set_result(None)


class PreexecTransport(SubprocessTransport):
    """The transport of a child with a preexec_fn, which does not hold the loop up."""

    _deferred: DeferredPreexec

    def _start(self, *, args: Any, shell: bool, preexec_fn: Any, **kwargs: Any) -> None:
        program = kwargs.get("executable") or ("/bin/sh" if shell else args[0])
        deferred = DeferredPreexec(preexec_fn, program)
        try:
            super()._start(args=args, shell=shell, preexec_fn=deferred, **kwargs)
        except BaseException:
            deferred.close()
            raise
        finally:
            deferred.leave_to_child()
        self._deferred = deferred

    async def _connect_pipes(self, waiter: asyncio.Future[None] | None) -> None:
        try:
            await self._deferred.executed(self._loop)
        except Exception as exc:
            self._drop_pipes()
            if waiter is not None and not waiter.cancelled():
                waiter.set_exception(exc)
            return
        await super()._connect_pipes(waiter)

    def _drop_pipes(self) -> None:
        for stream in (self._proc.stdin, self._proc.stdout, self._proc.stderr):
            if stream is not None:
                stream.close()
        self._pipes.clear()


def _watch(loop: Loop, transport: Any) -> None:
    try:
        ChildWatch(loop, transport, os.pidfd_open(transport.get_pid()))
    except ProcessLookupError:
        # It has ended and is reaped: the program ignores SIGCHLD, or something else waits for all children.
        loop.call_soon(_report_reaped_elsewhere, transport)
    except OSError:
        # Out of descriptors, most likely, or of what epoll may watch. The child runs already: a thread needs neither.
        _thread_watcher().add_child_handler(transport.get_pid(), _call_process_exited, loop, transport)


class ChildWatch:
    """Owns the pidfd of one child, from its start until the loop has reaped it or is closed."""

    __slots__ = ("_loop", "_pidfd", "_transport")

    def __init__(self, loop: Loop, transport: Any, owned_pidfd: int) -> None:
        self._loop = loop
        self._transport = transport
        self._pidfd = owned_pidfd
        loop._child_watches.add(self)
        try:
            self._resume()
        except OSError:
            self.close()
            raise

    def _resume(self) -> None:
        # Not by _add_reader(), nor ended by _remove_reader(): their checks, for what programs watch, are 2 to 3 % of
        # the CPU time of a child started and awaited.
        self._loop._watch(self._pidfd, READ, asyncio.Handle(self._reap, (), self._loop, None))

    def _reap(self) -> None:
        try:
            pid, status = os.waitpid(self._transport.get_pid(), os.WNOHANG)
        except ChildProcessError:
            self.close()
            _report_reaped_elsewhere(self._transport)
            return
        except BaseException:
            # The pidfd stays readable: this would be called again at once, and for ever.
            self.close()
            raise
        if not pid:
            # It has ended, but a debugger is attached and sees its status first.
            self._loop._unwatch(self._pidfd, READ)
            self._loop.call_later(_TRACED_CHILD_RETRY_S, self._resume)
            return
        self.close()
        self._transport._process_exited(os.waitstatus_to_exitcode(status))

    def close(self) -> None:
        """Stops watching and closes the pidfd. The child is left as it is."""
        pidfd, self._pidfd = self._pidfd, -1
        if pidfd >= 0:
            self._loop._child_watches.discard(self)
            self._loop._unwatch(pidfd, READ)
            os.close(pidfd)


def _report_reaped_elsewhere(transport: Any) -> None:
    # Popen reaps when its poll() is called, as its send_signal() does on 3.11 and the transport's close() does.
    returncode = transport._proc.returncode
    if returncode is None:
        returncode = _UNKNOWN_RETURNCODE
        logger.warning(
            "child process pid %d exit status already read: will report returncode %d",
            transport.get_pid(),
            returncode,
        )
    transport._process_exited(returncode)


@functools.cache
def _thread_watcher() -> Any:
    name = "ThreadedChildWatcher"
    return (getattr(unix_events, name, None) or getattr(unix_events, "_" + name))()


def _call_process_exited(pid: int, returncode: int, loop: Loop, transport: Any) -> None:
    # Called in the thread that waited.
    loop.call_soon_threadsafe(transport._process_exited, returncode)
