"""Handshakes within a connection: renegotiation as OpenSSL allows it, and new keys on TLS 1.3. The peer is openssl."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from .support import HOST, Recorder
from .tls_support import TLS12, TLS13, Tls

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")

OP_ALLOW_CLIENT_RENEGOTIATION = 1 << 8  # SSL_OP_ALLOW_CLIENT_RENEGOTIATION of OpenSSL 3, which ssl has no name for


class Echo(Recorder):
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.transport.write(data)


class Client:
    """``openssl s_client``, whose lines are sent, but for those of one letter, which are commands."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def say(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def hear(self, what: bytes) -> None:
        """Wait for this in what it prints."""
        assert self.process.stdout is not None
        await self.process.stdout.readuntil(what)


@contextlib.asynccontextmanager
async def connected(context: ssl.SSLContext) -> AsyncIterator[tuple[Client, Recorder]]:
    """The openssl program, connected to a server that echoes; after the handshake."""
    loop = asyncio.get_running_loop()
    accepted: asyncio.Future[Echo] = loop.create_future()

    def accept() -> Echo:
        accepted.set_result(Echo())
        return accepted.result()

    server = await loop.create_server(accept, HOST, 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-connect", f"{HOST}:{port}", "-servername", "localhost"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        protocol = await accepted
        await protocol.made
        yield Client(process), protocol
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await protocol.lost
        assert protocol.lost_count == 1
    finally:
        server.close()
        await server.wait_closed()


def test_clients_renegotiation_is_refused(run: Run, tls: Tls) -> None:
    """OpenSSL 3 refuses it unless it is allowed: a client could make the server work without end."""

    async def main() -> None:
        async with connected(tls.new_server(TLS12)) as (client, protocol):
            await client.say(b"before")
            await protocol.received(7)
            await client.say(b"R")
            await client.hear(b"RENEGOTIATING")
            await client.hear(b"no renegotiation")
            assert protocol.data == b"before\n"

    run(main())


def test_clients_renegotiation_where_it_is_allowed(run: Run, tls: Tls) -> None:
    async def main() -> None:
        context = tls.new_server(TLS12)
        context.options |= OP_ALLOW_CLIENT_RENEGOTIATION
        async with connected(context) as (client, protocol):
            for number in range(3):
                await client.say(b"before %d" % number)
                await client.hear(b"before %d\n" % number)
                await client.say(b"R")
                await client.hear(b"RENEGOTIATING")
                await client.say(b"after %d" % number)
                await client.hear(b"after %d\n" % number)
            assert protocol.data == b"before 0\nafter 0\nbefore 1\nafter 1\nbefore 2\nafter 2\n"

    run(main())


@pytest.mark.parametrize("command", [b"k", b"K"], ids=["its own", "both"])
def test_new_keys(run: Run, tls: Tls, command: bytes) -> None:
    async def main() -> None:
        async with connected(tls.new_server(TLS13)) as (client, protocol):
            for number in range(3):
                await client.say(b"before %d" % number)
                await client.hear(b"before %d\n" % number)
                await client.say(command)
                await client.hear(b"KEYUPDATE")
                await client.say(b"after %d" % number)
                await client.hear(b"after %d\n" % number)
            assert protocol.data == b"before 0\nafter 0\nbefore 1\nafter 1\nbefore 2\nafter 2\n"

    run(main())
