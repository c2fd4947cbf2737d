"""Stream transports over TCP: their life, what they know, contexts and warnings."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import socket
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder, tcp_pair, tcp_socketpair, turns

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


def test_both_ends_see_the_whole_life(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write(b"ping")
            assert await pair.server.received(4) == b"ping"
            pair.server.transport.write(b"pong")
            assert await pair.client.received(4) == b"pong"
            pair.client.transport.close()
            assert pair.client.transport.is_closing()
            assert await pair.client.lost is None
            assert await pair.server.lost is None
        assert pair.client.events == ["made", "data", "lost"]
        assert pair.server.events == ["made", "data", "eof", "lost"]
        assert (pair.client.lost_count, pair.server.lost_count) == (1, 1)

    run(main())


@pytest.mark.uvloop_differs("transports of its own kind")
def test_transports_are_asyncio_transports(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            for transport in pair.transports:
                assert isinstance(transport, asyncio.Transport)
                assert not transport.is_closing()
                assert transport.is_reading()
                assert transport.get_write_buffer_size() == 0

    run(main())


def test_extra_info(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            client, server = pair.transports
            for transport in (client, server):
                sock = transport.get_extra_info("socket")
                assert sock.family == socket.AF_INET and sock.type == socket.SOCK_STREAM
                assert sock.getsockname() == transport.get_extra_info("sockname")
                assert sock.getpeername() == transport.get_extra_info("peername")
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert client.get_extra_info("sockname") == server.get_extra_info("peername")
            assert server.get_extra_info("sockname") == client.get_extra_info("peername")
            assert client.get_extra_info("nothing") is None
            assert client.get_extra_info("nothing", 42) == 42
            names = client.get_extra_info("sockname"), client.get_extra_info("peername")
            client.close()
            await pair.client.lost
            assert (client.get_extra_info("sockname"), client.get_extra_info("peername")) == names

    run(main())


def test_the_socket_of_a_lost_transport_is_closed(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            sock = pair.client.transport.get_extra_info("socket")
            assert sock.fileno() >= 0
            pair.client.transport.close()
            await pair.client.lost
            await turns()
            assert pair.client.transport.get_extra_info("socket").fileno() == -1

    run(main())


def test_callbacks_run_in_the_context_of_the_connection(run: Run, loop: Loop) -> None:
    var = contextvars.ContextVar("var", default="nowhere")
    seen: dict[str, str] = {}

    class Seeing(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            seen["made"] = var.get()
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            seen["data"] = var.get()
            super().data_received(data)

        def connection_lost(self, exc: BaseException | None) -> None:
            seen["lost"] = var.get()
            super().connection_lost(exc)

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            var.set("connecting")
            _, protocol = await loop.create_connection(Seeing, sock=ours)
            var.set("later")
            theirs.send(b"x")
            await protocol.received(1)
        await protocol.lost
        assert seen == {"made": "connecting", "data": "connecting", "lost": "connecting"}

    run(main())


@pytest.mark.uvloop_differs("no descriptor in its repr()")
def test_a_transport_shows_its_state(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            assert "fd=" in repr(pair.client.transport)
            pair.client.transport.close()
            assert "clos" in repr(pair.client.transport)

    run(main())


@pytest.mark.uvloop_differs("prints the warning from a place where no filter applies", run=False)
def test_unclosed_transports_warn(backend: Any) -> None:
    loop = backend.new_loop()

    async def main() -> socket.socket:
        ours, theirs = tcp_socketpair()
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        transport.pause_reading()
        return theirs

    # asyncio's transport is part of a cycle and dies with the loop; jvloop's dies when the last reference is gone.
    with pytest.warns(ResourceWarning, match="unclosed"):
        theirs = loop.run_until_complete(main())
        loop.close()
        gc.collect()
        gc.collect()
    theirs.close()
