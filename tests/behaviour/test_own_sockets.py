"""Connections over sockets of a class of the program's own, whose methods are asked to receive and send."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from .support import Recorder, socketpair
from .tls_support import Tls

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]

pytestmark = pytest.mark.uvloop_differs("goes by the descriptor alone", run=False)


class Counting(socket.socket):
    """Counts what it receives and sends."""

    received_count = sent_count = 0

    def recv(self, *args: Any) -> bytes:
        data = super().recv(*args)
        self.received_count += len(data)
        return data

    def recv_into(self, *args: Any) -> int:
        count = super().recv_into(*args)
        self.received_count += count
        return count

    def send(self, *args: Any) -> int:
        count = super().send(*args)
        self.sent_count += count
        return count


class Named(socket.socket):
    """Has no way of its own to receive or send."""

    name = "a socket"


def pair_of(kind: type[Any]) -> tuple[Any, socket.socket]:
    ours, theirs = socketpair()
    own = kind(fileno=ours.detach())
    own.setblocking(False)
    theirs.setblocking(False)
    return own, theirs


@asynccontextmanager
async def connection_over(loop: Loop, kind: type[Any]) -> AsyncIterator[tuple[Any, Recorder, socket.socket]]:
    """A socket of this class, a connection made of it, and its peer. At the end it is closed and has ended well."""
    sock, peer = pair_of(kind)
    with peer:
        transport, client = await loop.create_connection(Recorder, sock=sock)
        yield sock, client, peer
        transport.close()
        assert await client.lost is None
        assert sock.fileno() == -1


async def echo_once(loop: Loop, client: Any, peer: socket.socket) -> None:
    client.transport.write(b"question")
    assert await loop.sock_recv(peer, 100) == b"question"
    await loop.sock_sendall(peer, b"answer")
    assert await client.received(6) == b"answer"


def test_its_methods_are_asked(run: Run, loop: Loop) -> None:
    async def main() -> None:
        async with connection_over(loop, Counting) as (sock, client, peer):
            await echo_once(loop, client, peer)
            assert (sock.sent_count, sock.received_count) == (8, 6)

    run(main())


def test_a_file_is_sent(run: Run, loop: Loop, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")

    async def main() -> None:
        with open(tmp_path / "file", "rb") as file:
            async with connection_over(loop, Counting) as (_, client, peer):
                assert await loop.sendfile(client.transport, file) == 11
                assert await loop.sock_recv(peer, 100) == b"from a file"
                await echo_once(loop, client, peer)

    run(main())


def test_one_without_methods_of_its_own(run: Run, loop: Loop) -> None:
    async def main() -> None:
        async with connection_over(loop, Named) as (_, client, peer):
            await echo_once(loop, client, peer)

    run(main())


@pytest.mark.parametrize("how", ["ssl", "start_tls"])
def test_over_tls(run: Run, loop: Loop, tls: Tls, how: str) -> None:
    async def main() -> None:
        sock, peer = pair_of(Counting)
        accepting = asyncio.create_task(loop.connect_accepted_socket(Recorder, peer, ssl=tls.server))
        if how == "ssl":
            transport, client = await loop.create_connection(
                Recorder, sock=sock, ssl=tls.client, server_hostname="localhost"
            )
        else:
            below, client = await loop.create_connection(Recorder, sock=sock)
            transport = await loop.start_tls(below, client, tls.client, server_hostname="localhost")
        _, server = await accepting
        transport.write(b"question")
        assert await server.received(8) == b"question"
        server.transport.write(b"answer")
        assert await client.received(6) == b"answer"
        assert sock.sent_count > 8
        assert sock.received_count > 6
        transport.close()
        assert await client.lost is None
        await server.lost

    run(main())
