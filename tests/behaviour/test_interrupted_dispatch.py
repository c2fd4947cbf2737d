"""A callback that ends the loop in the middle of the events that one poll fetched: the others are not lost."""

from __future__ import annotations

import asyncio
import socket

import pytest


class Interrupting(asyncio.Protocol):
    """Ends the loop when data comes."""

    def data_received(self, data: bytes) -> None:
        raise KeyboardInterrupt


@pytest.mark.uvloop_differs("reports the interrupt elsewhere", run=False)
def test_a_pending_read_survives_an_interrupt_before_it(loop: asyncio.AbstractEventLoop) -> None:
    interrupting, its_peer = socket.socketpair()
    reading, readings_peer = socket.socketpair()
    with its_peer, reading, readings_peer:
        for sock in (interrupting, reading):
            sock.setblocking(False)

        async def start() -> tuple[asyncio.Task[bytes], asyncio.BaseTransport]:
            pending = asyncio.create_task(loop.sock_recv(reading, 10))
            transport, _ = await loop.create_connection(Interrupting, sock=interrupting)
            await asyncio.sleep(0)
            return pending, transport

        pending, transport = loop.run_until_complete(start())
        its_peer.send(b"interrupt")
        readings_peer.send(b"data")
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(loop.create_future())
        assert loop.run_until_complete(asyncio.wait_for(pending, 10)) == b"data"
        transport.abort()
        loop.run_until_complete(asyncio.sleep(0))
