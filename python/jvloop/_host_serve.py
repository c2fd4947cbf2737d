"""Sockets of a Java program that its loops serve: accepted connections, and ASGI applications, by uvicorn."""

from __future__ import annotations

import asyncio
import importlib
import operator
import os
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import uvicorn

    from jvloop._host_loop import LoopRun


def imported(path: str) -> Any:
    """What ``module:name`` names; the name may have dots."""
    module, _, names = path.partition(":")
    if not module or not names:
        raise ValueError(f'"module:name" is required, not {path!r}')
    return operator.attrgetter(names)(importlib.import_module(module))


class AsgiServer:
    """uvicorn in a loop of a Java program, for one application on one socket."""

    __slots__ = ("_run", "_server", "_started", "task")

    def __init__(self, run: LoopRun, server: uvicorn.Server, sock: socket.socket) -> None:
        """Takes the socket over."""
        self._run = run
        self._server = server
        self._started = run.loop.create_future()
        self._tell_when_started()
        self.task = run.loop.create_task(self._serve(sock))
        run.servers.add(self)

    def _tell_when_started(self) -> None:
        # uvicorn says so in no other way than by its log.
        startup = self._server.startup

        async def startup_and_tell(sockets: list[socket.socket] | None = None) -> None:
            await startup(sockets)
            if self._server.started and not self._started.done():
                self._started.set_result(None)

        self._server.startup = startup_and_tell  # type: ignore[method-assign]

    async def _serve(self, sock: socket.socket) -> None:
        try:
            await self._server.serve([sock])
        except SystemExit as e:
            # That is for programs of uvicorn's own; here it would end the loop.
            raise RuntimeError("the application did not start; the logger uvicorn.error was told why") from e
        finally:
            sock.close()
            self._run.servers.discard(self)

    async def started(self) -> None:
        """Waits until it serves; raises what keeps it from that."""
        await asyncio.wait({self.task, self._started}, return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            await self.task
            raise RuntimeError("the server ended before it served")

    def stop(self, grace_s: float) -> None:
        """Accepts no more, and ends when the requests in progress have, or are cancelled after the grace."""
        if not self._server.should_exit:
            # It is given to asyncio.wait_for, which takes parts of seconds too.
            self._server.config.timeout_graceful_shutdown = grace_s  # type: ignore[assignment]
            self._server.should_exit = True

    async def wait(self) -> None:
        """Waits for its end; raises what ended it."""
        await asyncio.shield(self.task)


async def serve_asgi(run: LoopRun, fd: int, application: str, options: dict[str, Any]) -> AsgiServer:
    """Serves on a duplicate of a listening socket; ``options`` are those of ``uvicorn.Config``."""
    import uvicorn

    # Imported here, where what it raises says more than what uvicorn makes of it.
    config = uvicorn.Config(imported(application), **{"log_config": None, **options})
    server = AsgiServer(run, uvicorn.Server(config), socket.socket(fileno=os.dup(fd)))
    try:
        await server.started()
    except asyncio.CancelledError:
        server.stop(0)
        raise
    return server


def adopt(
    run: LoopRun, fd: int, protocol_factory: str
) -> Coroutine[Any, Any, tuple[asyncio.Transport, asyncio.BaseProtocol]]:
    """Makes transport and protocol for an accepted connection, and takes it over."""
    return _connect(run.loop, socket.socket(fileno=fd), protocol_factory)


async def _connect(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol_factory: str
) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
    try:
        factory: Callable[[], asyncio.BaseProtocol] = imported(protocol_factory)
        return await loop.connect_accepted_socket(factory, sock)
    except BaseException:
        sock.close()
        raise


HELPERS = (serve_asgi, adopt)
