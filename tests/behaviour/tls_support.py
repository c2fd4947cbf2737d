"""What the TLS tests share: certificates, connected pairs, and a peer that is driven record by record."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from certificates import CA, LeafCert

from .support import HOST, Pair, Recorder, tcp_pair, tcp_socketpair

TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3
VERSIONS = [TLS12, TLS13]
RECORD_HEADER_SIZE = 5


class Tls:
    """A certificate authority of our own, a server's certificate for "localhost", and a client's.

    `server` and `client` are contexts for tests that change nothing on them; the methods make fresh ones.
    """

    def __init__(self, directory: Path) -> None:
        self.authority = CA()
        self.stranger = CA()  # an authority that nobody trusts
        self.certificate = self.authority.issue_cert("localhost", HOST)
        self.other_certificate = self.authority.issue_cert("other.example")
        self.client_certificate = self.authority.issue_cert("client@example.org")
        self.strange_client_certificate = self.stranger.issue_cert("client@example.org")
        self.directory = directory
        self.authority_file = directory / "authority.pem"
        self.authority.cert_pem.write_to_path(str(self.authority_file))
        self.server = self.new_server()
        self.client = self.new_client()

    def new_server(self, version: ssl.TLSVersion | None = None, certificate: LeafCert | None = None) -> ssl.SSLContext:
        """A server's context; `version` makes it the only one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (certificate or self.certificate).configure_cert(context)
        return only(context, version)

    def new_client(self, version: ssl.TLSVersion | None = None, certificate: LeafCert | None = None) -> ssl.SSLContext:
        """A client's context that trusts the authority and checks the server's name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        if certificate is not None:
            certificate.configure_cert(context)
        return only(context, version)


def only(context: ssl.SSLContext, version: ssl.TLSVersion | None) -> ssl.SSLContext:
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def tls_pair(
    tls: Tls,
    client_factory: Callable[[], Any] = Recorder,
    server_factory: Callable[[], Any] = Recorder,
    *,
    server: ssl.SSLContext | None = None,
    client: ssl.SSLContext | None = None,
    server_options: dict[str, Any] | None = None,
    client_options: dict[str, Any] | None = None,
) -> contextlib.AbstractAsyncContextManager[Pair]:
    """A TLS connection over TCP between two protocols of one loop. Closes both."""
    return tcp_pair(
        client_factory,
        server_factory,
        server_options={"ssl": server or tls.server, **(server_options or {})},
        client_options={"ssl": client or tls.client, "server_hostname": "localhost", **(client_options or {})},
    )


class WirePeer:
    """One end of a TLS connection that the test drives: what it sends, and when, is the test's to say.

    Between Python's SSLObject and a plain non-blocking socket, so that records can be held back, cut and changed.
    """

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = "localhost",
        session: ssl.SSLSession | None = None,
    ) -> None:
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(
            self.incoming,
            self.outgoing,
            server_side=server_side,
            server_hostname=None if server_side else server_hostname,
            session=session,
        )
        self.received_raw = bytearray()

    async def handshake(self) -> None:
        await self.drive(self.ssl.do_handshake)

    async def send(self, data: bytes) -> None:
        self.ssl.write(data)
        await self.flush()

    async def receive(self, size: int) -> bytes:
        """Exactly `size` bytes, or less if the stream is closed before."""
        data = bytearray()
        while len(data) < size:
            piece = await self.drive(self.ssl.read, min(size - len(data), 65536))  # ssl allocates so much for each try
            if not piece:
                break
            data += piece
        return bytes(data)

    async def receive_close_notify(self) -> bytes:
        """Everything up to the peer's close_notify. A ConnectionError or SSLEOFError says that there was none."""
        data = bytearray()
        while piece := await self.drive(self.ssl.read, 65536):
            data += piece
        return bytes(data)

    async def unwrap(self) -> None:
        """Send close_notify, and wait for the peer's."""
        await self.drive(self.ssl.unwrap)

    async def drive(self, operation: Callable[..., Any], *args: Any) -> Any:
        """Repeat a method of the SSLObject, moving bytes, until it has what it needs."""
        while True:
            try:
                return operation(*args)
            except ssl.SSLWantReadError:
                await self.flush()
                await self.pull()
            finally:
                if self.outgoing.pending:
                    await self.flush()

    async def flush(self) -> None:
        if data := self.outgoing.read():
            await self.send_raw(data)

    async def pull(self) -> bytes:
        data = await self.receive_raw()
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()
        return data

    async def send_raw(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def receive_raw(self) -> bytes:
        data = await asyncio.get_running_loop().sock_recv(self.sock, 65536)
        self.received_raw += data
        return data

    async def drain_raw(self) -> bytes:
        """Everything up to the end of the socket's stream, however it ends."""
        data = b""
        with contextlib.suppress(ConnectionError):
            while piece := await self.receive_raw():
                data += piece
        return data

    def record(self, data: bytes) -> bytes:
        """The records that carry `data`, not sent yet."""
        self.ssl.write(data)
        return self.outgoing.read()

    def close(self) -> None:
        self.sock.close()


@contextlib.asynccontextmanager
async def client_of(peer_context: ssl.SSLContext, tls: Tls, **options: Any) -> AsyncIterator[tuple[Recorder, WirePeer]]:
    """A client of the loop under test whose server is a WirePeer, after the handshake."""
    loop = asyncio.get_running_loop()
    ours, theirs = tcp_socketpair()
    peer = WirePeer(theirs, peer_context, server_side=True)
    factory = options.pop("factory", Recorder)
    options = {"ssl": tls.client, "server_hostname": "localhost", **options}
    (_, protocol), _ = await asyncio.gather(loop.create_connection(factory, sock=ours, **options), peer.handshake())
    async with both_ended(protocol, peer):
        yield protocol, peer


@contextlib.asynccontextmanager
async def server_of(
    peer_context: ssl.SSLContext, tls: Tls, *, session: ssl.SSLSession | None = None, **options: Any
) -> AsyncIterator[tuple[Recorder, WirePeer]]:
    """A server of the loop under test (one accepted connection) whose client is a WirePeer, after the handshake."""
    loop = asyncio.get_running_loop()
    ours, theirs = tcp_socketpair()
    peer = WirePeer(theirs, peer_context, session=session)
    factory = options.pop("factory", Recorder)
    options = {"ssl": tls.server, **options}
    (transport, _), _ = await asyncio.gather(loop.connect_accepted_socket(factory, ours, **options), peer.handshake())
    protocol: Any = transport.get_protocol()  # uvloop gives its own SSLProtocol beside the transport
    async with both_ended(protocol, peer):
        yield protocol, peer


@contextlib.asynccontextmanager
async def both_ended(protocol: Any, peer: WirePeer) -> AsyncIterator[None]:
    """Sees to it that neither end outlives the block."""
    try:
        yield
    finally:
        peer.close()
        if not protocol.lost.done():
            protocol.transport.abort()
            await protocol.lost


async def lost(protocol: Any) -> BaseException | None:
    """Wait for connection_lost(); returns what it was told, without the traceback, whose frames keep things alive."""
    exc: BaseException | None = await protocol.lost
    return None if exc is None else exc.with_traceback(None)
