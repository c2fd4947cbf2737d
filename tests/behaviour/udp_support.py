"""What the tests of datagram transports share."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple, cast

from .support import HOST


class DatagramRecorder(asyncio.DatagramProtocol):
    """Keeps what it was told, in order."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.events: list[str] = []
        self.datagrams: list[tuple[bytes, Any]] = []
        self.errors: list[Exception] = []
        self.lost: asyncio.Future[BaseException | None] = loop.create_future()
        self.lost_count = 0
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self._note("made")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.datagrams.append((data, addr))
        self._note("datagram")

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)
        self._note("error")

    def pause_writing(self) -> None:
        self._note("pause")

    def resume_writing(self) -> None:
        self._note("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost_count += 1
        self._note("lost")
        if not self.lost.done():
            self.lost.set_result(exc)

    def _note(self, event: str) -> None:
        self.events.append(event)
        for condition, waiter in self._waiters:
            if condition() and not waiter.done():
                waiter.set_result(None)

    async def when(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds after something was told."""
        if not condition():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append((condition, waiter))
            await waiter

    async def received(self, count: int) -> list[bytes]:
        """Wait until `count` datagrams are there in all; returns the data of all that came."""
        await self.when(lambda: len(self.datagrams) >= count)
        return [data for data, _ in self.datagrams]

    async def failed(self, count: int = 1) -> list[Exception]:
        """Wait until error_received() was called `count` times in all; returns the errors."""
        await self.when(lambda: len(self.errors) >= count)
        return self.errors


class Echo(DatagramRecorder):
    """Sends back what it gets."""

    def datagram_received(self, data: bytes, addr: Any) -> None:
        super().datagram_received(data, addr)
        self.transport.sendto(data, addr)


class Endpoint(NamedTuple):
    """A datagram transport and its protocol."""

    transport: Any
    protocol: Any

    @property
    def address(self) -> Any:
        """What the socket is bound to."""
        return self.transport.get_extra_info("sockname")


@contextlib.asynccontextmanager
async def endpoint(factory: Callable[[], Any] = DatagramRecorder, **options: Any) -> AsyncIterator[Endpoint]:
    """A datagram endpoint, on HOST unless `options` say where; gone at the end."""
    if not options:
        options = {"local_addr": (HOST, 0)}
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(factory, **options)
    try:
        yield Endpoint(transport, protocol)
    finally:
        if not protocol.lost.done():  # asyncio's abort() is not made for a transport that is already lost
            transport.abort()
            await protocol.lost


@contextlib.asynccontextmanager
async def udp_pair(
    client_factory: Callable[[], Any] = DatagramRecorder, server_factory: Callable[[], Any] = DatagramRecorder
) -> AsyncIterator[tuple[Endpoint, Endpoint]]:
    """A client that is connected to a server that is not."""
    async with endpoint(server_factory) as server, endpoint(client_factory, remote_addr=server.address) as client:
        yield client, server


@contextlib.contextmanager
def udp_socket(host: str = HOST) -> Iterator[socket.socket]:
    """A blocking UDP socket, bound to a port of its own, that gives up after some seconds."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        sock.settimeout(10)
        yield sock
