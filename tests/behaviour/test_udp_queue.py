"""Datagrams that the kernel does not take at once: of Unix sockets, since UDP over the loopback takes them all."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from .support import turns, until
from .udp_support import DatagramRecorder, Endpoint, endpoint

Run = Callable[..., Any]

HEADER = 8 if sys.version_info >= (3, 13) else 0
SIZE = 1000

pytestmark = pytest.mark.only_on("asyncio", "jvloop")  # uvloop cannot connect a Unix datagram socket to a path


def connected_pair(folder: Path) -> tuple[socket.socket, socket.socket]:
    """A sender, connected to a receiver. Both have names."""
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(str(folder / "receiver"))
    receiver.setblocking(False)
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.bind(str(folder / "sender"))
    sender.connect(str(folder / "receiver"))
    return sender, receiver


@contextlib.asynccontextmanager
async def connected_endpoint(folder: Path) -> AsyncIterator[tuple[Endpoint, socket.socket]]:
    """connected_pair() with an endpoint over the sender."""
    ours, receiver = connected_pair(folder)
    with receiver:
        async with endpoint(sock=ours) as sender:
            yield sender, receiver


def numbered(number: int) -> bytes:
    return b"%04d" % number + bytes(SIZE - 4)


def fill(transport: Any, wanted: int) -> int:
    """Send until `wanted` datagrams wait; returns how many were sent in all."""
    sent = 0
    while transport.get_write_buffer_size() < wanted * (SIZE + HEADER):
        transport.sendto(numbered(sent))
        sent += 1
    return sent


def drain(receiver: socket.socket) -> list[int]:
    numbers = []
    while True:
        try:
            numbers.append(int(receiver.recv(SIZE)[:4]))
        except BlockingIOError:
            return numbers


async def drain_until(receiver: socket.socket, count: int) -> list[int]:
    numbers: list[int] = []
    while len(numbers) < count:
        numbers += drain(receiver)
        await asyncio.sleep(0)
    return numbers


def test_what_waits_is_sent_in_order(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with connected_endpoint(tmp_path) as (sender, receiver):
            sent = fill(sender.transport, 20)
            assert sender.transport.get_write_buffer_size() == 20 * (SIZE + HEADER)
            assert await drain_until(receiver, sent) == list(range(sent))
            # 3.13.0 forgets to take the headers off again.
            assert sender.transport.get_write_buffer_size() in (0, 20 * HEADER)
            sender.transport.sendto(numbered(0))
            assert drain(receiver) == [0]

    run(main())


def test_back_pressure(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with connected_endpoint(tmp_path) as (sender, receiver):
            sender.transport.set_write_buffer_limits(high=10 * SIZE, low=5 * SIZE)
            assert sender.transport.get_write_buffer_limits() == (5 * SIZE, 10 * SIZE)
            sent = fill(sender.transport, 9)
            assert sender.protocol.events == ["made"]
            while "pause" not in sender.protocol.events:
                sender.transport.sendto(numbered(sent))
                sent += 1
            assert sender.transport.get_write_buffer_size() > 10 * SIZE
            await drain_until(receiver, sent)
            await until(lambda: "resume" in sender.protocol.events)
            assert sender.protocol.events == ["made", "pause", "resume"]

    run(main())


def test_default_limits(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with endpoint(family=socket.AF_INET) as sender:
            assert sender.transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
            with pytest.raises(ValueError, match="must be >= low"):
                sender.transport.set_write_buffer_limits(high=1, low=2)

    run(main())


def test_data_is_copied_when_it_waits(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with connected_endpoint(tmp_path) as (sender, receiver):
            sent = fill(sender.transport, 1)
            mutable = bytearray(numbered(sent))
            sender.transport.sendto(mutable)
            mutable[:] = numbered(9999)
            assert await drain_until(receiver, sent + 1) == list(range(sent + 1))

    run(main())


def test_close_sends_what_waits(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with connected_endpoint(tmp_path) as (sender, receiver):
            sent = fill(sender.transport, 5)
            sender.transport.close()
            await turns(5)
            assert sender.protocol.lost_count == 0
            assert await drain_until(receiver, sent) == list(range(sent))
            assert await sender.protocol.lost is None
            assert sender.protocol.lost_count == 1

    run(main())


def test_abort_drops_what_waits(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with connected_endpoint(tmp_path) as (sender, receiver):
            sent = fill(sender.transport, 5)
            sender.transport.abort()
            assert await sender.protocol.lost is None
            assert drain(receiver) == list(range(sent - 5))
            assert sender.protocol.lost_count == 1

    run(main())


@pytest.mark.parametrize("closing", [False, True])
def test_errors_while_sending_what_waits(run: Run, tmp_path: Path, closing: bool) -> None:
    async def main() -> None:
        ours, receiver = connected_pair(tmp_path)
        async with endpoint(sock=ours) as sender:
            fill(sender.transport, 5)
            if closing:
                sender.transport.close()
            receiver.close()
            errors = [exc.errno for exc in await sender.protocol.failed(5)]
            assert len(errors) == 5
            assert set(errors) <= {errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOTCONN}
            if closing:
                assert await sender.protocol.lost is None
                assert sender.protocol.lost_count == 1
            else:
                await turns()
                assert not sender.transport.is_closing()
                sender.transport.sendto(b"more")
                await sender.protocol.failed(6)

    run(main())


@pytest.mark.parametrize("how", ["close", "abort"])
def test_closing_in_error_received(run: Run, tmp_path: Path, how: str) -> None:
    class Closing(DatagramRecorder):
        def error_received(self, exc: Exception) -> None:
            super().error_received(exc)
            getattr(self.transport, how)()

    async def main() -> None:
        ours, receiver = connected_pair(tmp_path)
        async with endpoint(Closing, sock=ours) as sender:
            fill(sender.transport, 5)
            receiver.close()
            assert await sender.protocol.lost is None
            assert len(sender.protocol.errors) == (5 if how == "close" else 1)
            assert sender.protocol.lost_count == 1

    run(main())


def test_an_address_that_proves_wrong_while_waiting(run: Run, tmp_path: Path, errors: list[dict[str, Any]]) -> None:
    async def main() -> None:
        ours, receiver = connected_pair(tmp_path)
        ours.close()
        address = str(tmp_path / "receiver")
        with receiver:
            async with endpoint(local_addr=str(tmp_path / "other"), family=socket.AF_UNIX) as sender:
                sent = fill_unconnected(sender, address)
                sender.transport.sendto(b"x", 5)
                assert not sender.transport.is_closing()
                await drain_until(receiver, sent)
                assert isinstance(await sender.protocol.lost, TypeError)
                assert errors[0]["message"] == "Fatal write error on datagram transport"
                errors.clear()  # asyncio goes on to its writer, which is still there, and fails again

    run(main())


def fill_unconnected(sender: Endpoint, address: str) -> int:
    sent = 0
    while sender.transport.get_write_buffer_size() == 0:
        sender.transport.sendto(numbered(sent), address)
        sent += 1
    return sent
