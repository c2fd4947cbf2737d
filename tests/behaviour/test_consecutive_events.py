"""I/O that follows from I/O at once: a turn later, behind what the first queued and before what that queues."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from .support import HOST, Recorder, socketpair, tcp_socketpair, turns

Act = Callable[[], object]
Source = Callable[["Hops"], contextlib.AbstractAsyncContextManager[Act]]
"""Tells of two events that follow each other; gives what sets off the first."""

pytestmark = pytest.mark.uvloop_differs("handles I/O before what was ready", run=False)


class Hops:
    """Counts the callbacks, each queued by the one before, that run from a first event to the second."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.count = 0
        self.between: asyncio.Future[int] = self._loop.create_future()

    def first(self) -> None:
        self._loop.call_soon(self._hop)

    def second(self) -> None:
        self.between.set_result(self.count)

    def _hop(self) -> None:
        self.count += 1
        if not self.between.done():
            self._loop.call_soon(self._hop)


class Acting(asyncio.Protocol, asyncio.DatagramProtocol):
    """Does one thing for what comes first, and another for what comes next, be it data or its end."""

    transport: Any

    def __init__(self, *acts: Act) -> None:
        self.acts = list(acts)
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.acts.pop(0)()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.acts.pop(0)()

    def eof_received(self) -> None:
        if self.acts:
            self.acts.pop(0)()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(None)

    async def end(self) -> None:
        self.transport.abort()
        await self.lost


class ActingByteByByte(asyncio.BufferedProtocol, Acting):
    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(bytearray(1))

    def buffer_updated(self, count: int) -> None:
        self.acts.pop(0)()


async def over(ours: socket.socket, protocol: Acting) -> Any:
    """The transport of a connection with this protocol."""
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: protocol, sock=ours)
    return transport


@contextlib.asynccontextmanager
async def two_datagrams_for_a_reader(hops: Hops) -> AsyncIterator[Act]:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair(type=socket.SOCK_DGRAM)
    ours.setblocking(False)
    acts = [hops.first, hops.second]
    with ours, theirs:
        loop.add_reader(ours, lambda: (ours.recv(10), acts.pop(0)()))
        yield lambda: (theirs.send(b"1"), theirs.send(b"2"))
        loop.remove_reader(ours)


@contextlib.asynccontextmanager
async def two_datagrams_for_an_endpoint(hops: Hops) -> AsyncIterator[Act]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: Acting(hops.first, hops.second), local_addr=(HOST, 0)
    )
    address = transport.get_extra_info("sockname")
    with socket.socket(type=socket.SOCK_DGRAM) as theirs:
        yield lambda: (theirs.sendto(b"1", address), theirs.sendto(b"2", address))
    await protocol.end()


@contextlib.asynccontextmanager
async def a_connection(
    pair: tuple[socket.socket, socket.socket], protocol: Acting, act: Callable[[socket.socket], object]
) -> AsyncIterator[Act]:
    """Both events are of one connection, whose peer sets them off at once."""
    ours, theirs = pair
    await over(ours, protocol)
    with theirs:
        yield lambda: act(theirs)
        await protocol.end()


def send_two_bytes(theirs: socket.socket) -> None:
    theirs.send(b"12")


def send_and_end(theirs: socket.socket) -> None:
    theirs.send(b"1")
    theirs.shutdown(socket.SHUT_WR)


def two_reads_by_tcp(hops: Hops) -> Any:
    return a_connection(tcp_socketpair(), ActingByteByByte(hops.first, hops.second), send_two_bytes)


def two_reads_by_unix(hops: Hops) -> Any:
    return a_connection(socketpair(), ActingByteByByte(hops.first, hops.second), send_two_bytes)


def data_and_its_end_by_tcp(hops: Hops) -> Any:
    return a_connection(tcp_socketpair(), Acting(hops.first, hops.second), send_and_end)


def data_and_its_end_by_unix(hops: Hops) -> Any:
    return a_connection(socketpair(), Acting(hops.first, hops.second), send_and_end)


@contextlib.asynccontextmanager
async def what_another_transport_does(hops: Hops, pair: Any, act: Callable[[Any], object]) -> AsyncIterator[Act]:
    """The first event has a transport do something that another one of this loop sees."""
    ours, theirs = tcp_socketpair()
    near, far = pair
    writer, watcher = Acting(), Acting(hops.second)
    transport = await over(near, writer)
    protocol = Acting(lambda: (hops.first(), act(transport)))
    await over(ours, protocol)
    await over(far, watcher)
    with theirs:
        yield lambda: theirs.send(b"1")
        for each in (protocol, writer, watcher):
            await each.end()


def what_another_transport_writes(hops: Hops) -> Any:
    return what_another_transport_does(hops, tcp_socketpair(), lambda transport: transport.write(b"2"))


def what_another_transport_writes_in_pieces(hops: Hops) -> Any:
    return what_another_transport_does(hops, socketpair(), lambda transport: transport.writelines([b"2", b"3"]))


def what_another_transport_ends(hops: Hops) -> Any:
    return what_another_transport_does(hops, tcp_socketpair(), lambda transport: transport.write_eof())


@contextlib.asynccontextmanager
async def what_an_endpoint_sends(hops: Hops) -> AsyncIterator[Act]:
    loop = asyncio.get_running_loop()
    endpoints: list[Any] = []

    def forward() -> None:
        hops.first()
        endpoints[0].transport.sendto(b"2", endpoints[1].transport.get_extra_info("sockname"))

    for act in (forward, hops.second):
        _, protocol = await loop.create_datagram_endpoint(lambda act=act: Acting(act), local_addr=(HOST, 0))
        endpoints.append(protocol)
    address = endpoints[0].transport.get_extra_info("sockname")
    with socket.socket(type=socket.SOCK_DGRAM) as theirs:
        yield lambda: theirs.sendto(b"1", address)
    for protocol in endpoints:
        await protocol.end()


@contextlib.asynccontextmanager
async def what_a_pipe_brings(hops: Hops) -> AsyncIterator[Act]:
    loop = asyncio.get_running_loop()
    reader, writer = os.pipe()
    ours, theirs = tcp_socketpair()
    watcher, far = Acting(hops.second), Recorder()
    await loop.connect_read_pipe(lambda: watcher, os.fdopen(reader, "rb", 0))
    pipe, _ = await loop.connect_write_pipe(lambda: far, os.fdopen(writer, "wb", 0))
    protocol = Acting(lambda: (hops.first(), pipe.write(b"2")))
    await over(ours, protocol)
    with theirs:
        yield lambda: theirs.send(b"1")
        await protocol.end()
    pipe.abort()
    await far.lost
    await watcher.lost


@contextlib.asynccontextmanager
async def what_a_reader_sends(hops: Hops) -> AsyncIterator[Act]:
    loop = asyncio.get_running_loop()
    ours, theirs = socketpair()
    near, far = tcp_socketpair()
    watcher = Acting(hops.second)
    await over(far, watcher)

    def read_once() -> None:
        loop.remove_reader(ours)
        hops.first()
        near.send(b"2")

    with ours, theirs, near:
        loop.add_reader(ours, read_once)
        yield lambda: theirs.send(b"1")
        await watcher.end()


@pytest.mark.parametrize(
    "source",
    [
        two_datagrams_for_a_reader,
        two_datagrams_for_an_endpoint,
        two_reads_by_tcp,
        two_reads_by_unix,
        data_and_its_end_by_tcp,
        data_and_its_end_by_unix,
        what_another_transport_writes,
        what_another_transport_writes_in_pieces,
        what_another_transport_ends,
        what_an_endpoint_sends,
        what_a_pipe_brings,
        what_a_reader_sends,
    ],
)
def test_one_callback_runs_between_them(loop_factory: Callable[[], asyncio.AbstractEventLoop], source: Source) -> None:
    async def main() -> None:
        hops = Hops()
        async with source(hops) as begin:
            await turns()
            asyncio.get_running_loop().call_later(0.001, begin)
            assert await hops.between == 1
            await turns()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
