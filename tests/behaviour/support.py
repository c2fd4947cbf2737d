"""What the behaviour tests share: recording protocols, connected pairs, and scripts in a process of their own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple, cast

HOST = "127.0.0.1"

FACTORIES = {
    "asyncio": "from asyncio import SelectorEventLoop as new_event_loop",
    "uvloop": "from uvloop import new_event_loop",
    "jvloop": "from jvloop import new_event_loop",
}


class Recorder(asyncio.Protocol):
    """Keeps what it was told, in order; its futures fire at the moments that tests wait for."""

    transport: asyncio.Transport

    def __init__(self, *, keep_open_on_eof: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self.events: list[str] = []
        self.data = bytearray()
        self.keep_open_on_eof = keep_open_on_eof
        self.made: asyncio.Future[None] = loop.create_future()
        self.eof: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[BaseException | None] = loop.create_future()
        self.lost_count = 0
        self._wanted: list[tuple[int, asyncio.Future[None]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.events.append("made")
        self.made.set_result(None)

    def data_received(self, data: bytes) -> None:
        if not self.events or self.events[-1] != "data":
            self.events.append("data")
        self.data += data
        for size, waiter in self._wanted:
            if len(self.data) >= size and not waiter.done():
                waiter.set_result(None)

    def eof_received(self) -> bool:
        self.events.append("eof")
        self.eof.set_result(None)
        return self.keep_open_on_eof

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.events.append("lost")
        self.lost_count += 1
        if not self.lost.done():
            self.lost.set_result(exc)

    async def received(self, size: int) -> bytes:
        """Wait until `size` bytes are there in all; returns everything received."""
        if len(self.data) < size:
            waiter = asyncio.get_running_loop().create_future()
            self._wanted.append((size, waiter))
            await waiter
        return bytes(self.data)


class Pair(NamedTuple):
    """Both ends of one connection inside one loop."""

    client: Any
    server: Any

    @property
    def transports(self) -> tuple[asyncio.Transport, asyncio.Transport]:
        return self.client.transport, self.server.transport


@contextlib.asynccontextmanager
async def tcp_pair(
    client_factory: Callable[[], Any] = Recorder,
    server_factory: Callable[[], Any] = Recorder,
    *,
    server_options: dict[str, Any] | None = None,
    client_options: dict[str, Any] | None = None,
) -> AsyncIterator[Pair]:
    """A TCP connection between two protocols that have `made`, `lost` and `transport` as Recorder has. Closes both.

    The options are those of create_server() and create_connection().
    """
    loop = asyncio.get_running_loop()
    accepted: asyncio.Future[Any] = loop.create_future()

    def accept() -> Any:
        protocol = server_factory()
        accepted.set_result(protocol)
        return protocol

    server = await loop.create_server(accept, HOST, 0, **(server_options or {}))
    try:
        _, client = await loop.create_connection(
            client_factory, *server.sockets[0].getsockname(), **(client_options or {})
        )
        protocol = await accepted
        await protocol.made
        pair = Pair(client, protocol)
        try:
            yield pair
        finally:
            for end in pair:
                if not end.lost.done():  # asyncio's abort() is not made for a transport that is already lost
                    end.transport.abort()
                    await end.lost
    finally:
        server.close()
        await server.wait_closed()


def socketpair() -> tuple[socket.socket, socket.socket]:
    """Two connected, non-blocking sockets."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def tcp_socketpair() -> tuple[socket.socket, socket.socket]:
    """Two connected, non-blocking TCP sockets."""
    with socket.create_server((HOST, 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def reset(sock: socket.socket) -> None:
    """Close with a RST instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def unused_port() -> int:
    """A TCP port on which nobody listens (until somebody takes it)."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port


async def turns(count: int = 3) -> None:
    """Let the loop go round `count` times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop go round until `condition` holds; the test's timeout bounds it."""
    while not condition():
        await asyncio.sleep(0)


async def received_while_busy() -> bytes:
    """What comes to a socket within 1000 turns of a loop that has something to run in each, and long had before."""
    loop = asyncio.get_running_loop()
    ours, theirs = socketpair()
    with ours, theirs:
        receives = loop.create_task(loop.sock_recv(ours, 10))
        await turns(100)
        theirs.send(b"data")
        for _ in range(1000):
            await asyncio.sleep(0)
            if receives.done():
                break
        return receives.result()


def start_script(backend: Any, body: str) -> subprocess.Popen[str]:
    """Start `body` in a fresh interpreter, where `new_event_loop` makes loops of this kind."""
    source = FACTORIES[backend.name] + "\nimport asyncio, os, signal, sys, threading\n" + textwrap.dedent(body)
    return subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def run_script(backend: Any, body: str, *, timeout_s: float = 20.0) -> str:
    """Run `body` as start_script() does; returns its standard output. Fails on a non-zero exit."""
    with start_script(backend, body) as process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 0, f"exit {process.returncode}\n{out}\n{err}"
    return out


def run_ready(loop: asyncio.AbstractEventLoop) -> None:
    """Run what is scheduled now, and not more."""
    loop.call_soon(loop.stop)
    loop.run_forever()


@contextlib.contextmanager
def signalled(
    loop: asyncio.AbstractEventLoop, handler: Callable[[int, Any], None], handled: threading.Event
) -> Iterator[None]:
    """SIGUSR1 to `handler` and, once the loop runs, from another thread, again and again until `handled` is set."""
    running = threading.Event()

    def kill() -> None:
        running.wait()
        while not handled.is_set():
            os.kill(os.getpid(), signal.SIGUSR1)
            handled.wait(0.05)

    previous = signal.signal(signal.SIGUSR1, handler)
    thread = threading.Thread(target=kill)
    thread.start()
    loop.call_soon(running.set)
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, previous)
