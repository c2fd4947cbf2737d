"""Writes over TLS that jvloop sends a little later, with others: a program sees what it sees on asyncio.

As in test_joined_writes and test_batched_writes, which are about streams without TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from .support import Recorder, turns
from .tls_support import Tls, WirePeer, server_of
from .write_support import FREE_THREADED, arrived, in_one_iteration

Run = Callable[..., Any]


@contextlib.asynccontextmanager
async def servers(tls: Tls, count: int) -> AsyncIterator[list[tuple[asyncio.Transport, WirePeer]]]:
    """Transports whose handshakes are over, tickets and all."""
    async with contextlib.AsyncExitStack() as stack:
        them = []
        for _ in range(count):
            protocol, peer = await stack.enter_async_context(server_of(tls.client, tls))
            protocol.transport.write(b"!")
            assert await peer.receive(1) == b"!"
            them.append((protocol.transport, peer))
        yield them


def wire(peer: WirePeer) -> bytes:
    """The records that have come by now; the peer may read them."""
    data = arrived(peer.sock)
    peer.incoming.write(data)
    return data


def test_what_several_callbacks_write_arrives_whole(run: Run, tls: Tls) -> None:
    large = bytes(range(256)) * 300

    async def main() -> None:
        async with servers(tls, 4) as them:
            for _ in range(10):
                await in_one_iteration(
                    *(partial(transport.write, b"head ") for transport, _ in them),
                    *(partial(transport.writelines, [b"and ", b"lines "]) for transport, _ in them[::-1]),
                    *(partial(transport.write, large) for transport, _ in them[:2]),
                    *(partial(transport.write, bytearray(b"tail ")) for transport, _ in them),
                )
                for index, (_, peer) in enumerate(them):
                    expected = b"head and lines " + (large if index < 2 else b"") + b"tail "
                    assert await peer.receive(len(expected)) == expected

    run(main())


@pytest.mark.only_on("jvloop")
@pytest.mark.skipif(FREE_THREADED, reason="there they leave one by one")
def test_all_but_the_first_leave_at_the_end_of_the_iteration(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with servers(tls, 2) as ((first, first_peer), (second, second_peer)):
            seen = await in_one_iteration(
                partial(first.write, b"1"),
                partial(second.write, b"2"),
                lambda: (wire(first_peer) != b"", wire(second_peer)),
            )
            assert seen[-1] == (True, b"")
            await turns(1)
            assert wire(second_peer) != b""
            assert (first_peer.ssl.read(), second_peer.ssl.read()) == (b"1", b"2")

    run(main())


@pytest.mark.only_on("jvloop")
@pytest.mark.skipif(FREE_THREADED, reason="there they leave one by one")
def test_the_pieces_of_one_callback_leave_together(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with servers(tls, 1) as ((transport, peer),):
            for expected in (True, False):
                await turns(1)
                transport.write(b"head")
                transport.write(b"body")
                assert (wire(peer) != b"") is expected
                assert await peer.receive(8) == b"headbody"

    run(main())


@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.only_on("asyncio", "jvloop")
def test_what_was_written_arrives_though_the_connection_ends(run: Run, tls: Tls, end: str) -> None:
    async def main() -> None:
        async with servers(tls, 2) as ((first, first_peer), (second, second_peer)):
            await in_one_iteration(
                partial(first.write, b"first"),
                partial(second.write, b"second"),
                getattr(second, end),
            )
            assert await first_peer.receive(5) == b"first"
            assert await second_peer.receive(6) == b"second"
            if end == "close":
                assert await second_peer.receive_close_notify() == b""
            else:
                with pytest.raises((ssl.SSLEOFError, ConnectionError)):
                    await second_peer.receive_close_notify()

    run(main())


def test_an_exception_of_the_protocol_that_answered(run: Run, tls: Tls, errors: list[dict[str, Any]]) -> None:
    class Answering(Recorder):
        def data_received(self, data: bytes) -> None:
            self.transport.write(b"head of ")
            self.transport.write(data)
            if data == b"last":
                raise LookupError

    async def main() -> None:
        async with server_of(tls.client, tls, factory=Answering) as (protocol, peer):
            for data in (b"1", b"2", b"last"):
                await peer.send(data)
                assert await peer.receive(8 + len(data)) == b"head of " + data
            assert isinstance(await protocol.lost, LookupError)
        assert [type(context["exception"]) for context in errors] == [LookupError]
        errors.clear()

    run(main())
