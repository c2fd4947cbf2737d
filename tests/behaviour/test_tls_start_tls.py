"""start_tls(), TLS in TLS, buffered protocols over TLS, and sendfile over TLS."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .support import HOST, Recorder, tcp_pair, tcp_socketpair, turns
from .tls_support import Tls, WirePeer, client_of, server_of, tls_pair

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
MIB = 1 << 20


async def upgrade(loop: Loop, tls: Tls, client: Any, server: Any) -> None:
    """Both ends of a connection go over to TLS, or into one more."""
    far, near = await asyncio.gather(
        loop.start_tls(server.transport, server, tls.server, server_side=True),
        loop.start_tls(client.transport, client, tls.client, server_hostname="localhost"),
    )
    assert far is not None
    assert near is not None
    server.transport, client.transport = far, near


async def talks(client: Any, server: Any, size: int) -> None:
    there, back = random.Random(1).randbytes(size), random.Random(2).randbytes(size)
    heard, answered = len(server.data), len(client.data)
    client.transport.write(there)
    server.transport.write(back)
    assert (await server.received(heard + size))[heard:] == there
    assert (await client.received(answered + size))[answered:] == back


def test_both_sides(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            await talks(*pair, 1000)
            await upgrade(loop, tls, *pair)
            await talks(*pair, 3 * MIB)
            assert pair.client.transport.get_extra_info("ssl_object").version() == "TLSv1.3"
            assert pair.client.events[0] == "made"
            assert pair.client.events.count("made") == 1  # connection_made() is not called again
            pair.client.transport.close()
            assert await pair.client.lost is None
            assert await pair.server.lost is None

    run(main())


def test_session_tickets_come_without_any_data(run: Run, loop: Loop, tls: Tls) -> None:
    """They may wait for what the server writes first, but not for ever."""

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        peer = WirePeer(theirs, tls.client)
        server = Recorder()
        await loop.connect_accepted_socket(lambda: server, ours)
        upgrade, _ = await asyncio.gather(
            loop.start_tls(server.transport, server, tls.server, server_side=True), peer.handshake()
        )
        assert upgrade is not None
        server.transport = upgrade
        assert upgrade.get_write_buffer_size() == 0
        assert peer.ssl.session is None or not peer.ssl.session.has_ticket
        async with asyncio.timeout(5):
            # In one piece, unless a fault splits them.
            while peer.ssl.session is None or not peer.ssl.session.has_ticket:
                records = await peer.receive_raw()
                assert records
                peer.incoming.write(records)
                with pytest.raises(ssl.SSLWantReadError):
                    peer.ssl.read(1)
        assert peer.ssl.session is not None
        assert peer.ssl.session.has_ticket
        peer.close()
        upgrade.abort()
        await server.lost

    run(main())


def test_write_that_follows_start_tls(run: Run, loop: Loop, tls: Tls) -> None:
    """It comes behind the session tickets, whenever these are sent."""

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        peer = WirePeer(theirs, tls.client)
        server = Recorder()
        await loop.connect_accepted_socket(lambda: server, ours)

        async def serve() -> Any:
            upgraded = await loop.start_tls(server.transport, server, tls.server, server_side=True)
            assert upgraded is not None
            upgraded.write(b"first")
            assert upgraded.get_write_buffer_size() == 0
            upgraded.close()
            return upgraded

        await asyncio.gather(serve(), peer.handshake())
        assert await peer.receive_close_notify() == b"first"
        assert peer.ssl.session is not None
        assert peer.ssl.session.has_ticket
        await peer.unwrap()
        assert await server.lost is None
        peer.close()

    run(main())


def test_upgrade_that_fails(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            untrusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            far, near = await asyncio.gather(
                loop.start_tls(pair.server.transport, pair.server, tls.server, server_side=True),
                loop.start_tls(pair.client.transport, pair.client, untrusting, server_hostname="localhost"),
                return_exceptions=True,
            )
            assert isinstance(near, ssl.SSLCertVerificationError)
            if isinstance(far, asyncio.BaseTransport):  # TLS 1.3: the server's side may be done before the alert
                far.abort()  # type: ignore[attr-defined]
            else:
                assert isinstance(far, OSError)
            for end in pair:  # nobody called connection_lost() of a protocol whose upgrade failed
                if not end.lost.done():
                    end.lost.set_result(None)

    run(main())


def test_tls_in_tls(run: Run, loop: Loop, tls: Tls) -> None:
    async def main() -> None:
        async with tls_pair(tls) as pair:
            await talks(*pair, 1000)
            await upgrade(loop, tls, *pair)
            await talks(*pair, 2 * MIB)

    run(main())


@pytest.mark.parametrize("wrong", [None, True, "context"])
def test_a_context_is_needed(run: Run, loop: Loop, wrong: Any) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            with pytest.raises(TypeError, match="expected to be an instance of ssl"):
                await loop.start_tls(pair.client.transport, pair.client, wrong)

    run(main())


def test_stream_writer(run: Run, tls: Tls) -> None:
    async def main() -> None:
        done = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert await reader.readline() == b"STARTTLS\n"
            writer.write(b"GO\n")
            await writer.drain()
            await writer.start_tls(tls.server)
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            done.set_result(None)

        server = await asyncio.start_server(serve, HOST, 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"GO\n"
        await writer.start_tls(tls.client, server_hostname="localhost")
        writer.write(b"secret\n")
        assert await reader.readline() == b"SECRET\n"
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        await done
        server.close()
        await server.wait_closed()

    run(main())


# --- what comes before its time -------------------------------------------------------------------------------------


async def handshake_after(peer: WirePeer, command: bytes) -> None:
    """Say something in the clear and begin the handshake in the same breath."""
    with pytest.raises(ssl.SSLWantReadError):
        peer.ssl.do_handshake()
    await peer.send_raw(command + peer.outgoing.read())
    await peer.handshake()


def test_client_hello_that_is_there_before_start_tls(run: Run, loop: Loop, tls: Tls) -> None:
    """A protocol that stops reading at the command leaves it in the kernel."""

    class Upgrading(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.data == b"STARTTLS":
                self.transport.pause_reading()

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        peer = WirePeer(theirs, tls.client)
        _, protocol = await loop.connect_accepted_socket(Upgrading, ours)
        await peer.send_raw(b"STARTTLS")
        await protocol.received(8)
        shaking = asyncio.ensure_future(handshake_after(peer, b""))
        await turns(10)
        upgraded = await loop.start_tls(protocol.transport, protocol, tls.server, server_side=True)
        assert upgraded is not None
        protocol.transport = upgraded
        await shaking
        await peer.send(b" secret")
        assert await protocol.received(15) == b"STARTTLS secret"
        peer.close()
        await protocol.lost

    run(main())


@pytest.mark.uvloop_differs("leaves it in the StreamReader")
def test_client_hello_in_the_segment_of_the_command(run: Run, tls: Tls, backend: Any) -> None:
    if backend.name == "asyncio" and "_stream_reader" not in inspect.getsource(asyncio.BaseEventLoop.start_tls):
        pytest.skip("asyncio before 3.13.12 and 3.14.3 leaves it in the StreamReader (gh-142352)")

    async def main() -> None:
        done = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                assert await reader.readline() == b"STARTTLS\n"
                await writer.start_tls(tls.server, ssl_handshake_timeout=1)
                writer.write((await reader.readline()).upper())
                writer.close()
                await writer.wait_closed()
                done.set_result(None)
            except Exception as exc:
                done.set_exception(exc)

        async with await asyncio.start_server(serve, HOST, 0) as server:
            sock = socket.socket()
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, server.sockets[0].getsockname())
            peer = WirePeer(sock, tls.client)
            try:
                await handshake_after(peer, b"STARTTLS\n")
                await peer.send(b"secret\n")
                assert await peer.receive_close_notify() == b"SECRET\n"
                await peer.unwrap()
                await done
            finally:
                peer.close()
                await asyncio.wait([done])

    run(main())


# --- buffered protocols ---------------------------------------------------------------------------------------------


class Buffered(Recorder, asyncio.BufferedProtocol):
    """Takes what it receives through a buffer of `size` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        # A view, for asyncio reads into slices of what it is given: a slice of a bytearray would be a copy.
        self.buffer = memoryview(bytearray(size))

    def get_buffer(self, sizehint: int) -> memoryview:  # type: ignore[override]
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        Recorder.data_received(self, bytes(self.buffer[:nbytes]))


@pytest.mark.parametrize("size", [7, 1000, 16384, 300_000])
def test_buffered_protocol(run: Run, tls: Tls, size: int) -> None:
    data = random.Random(5).randbytes(20_000 if size == 7 else MIB)

    async def main() -> None:
        async with server_of(tls.client, tls, factory=lambda: Buffered(size)) as (protocol, peer):
            sending = asyncio.ensure_future(peer.send(data))
            assert await protocol.received(len(data)) == data
            await sending
            protocol.transport.write(b"answer")
            assert await peer.receive(6) == b"answer"

    run(main())


@pytest.mark.only_on("uvloop", "jvloop")
def test_buffer_that_is_a_bytearray(run: Run, tls: Tls) -> None:
    """asyncio reads into slices of what get_buffer() gives; of a bytearray those are copies, and data is lost."""
    if os.environ.get("JVLOOP_TLS") == "memorybio":
        pytest.skip("asyncio's SSLProtocol does it")

    class Plain(Buffered):
        def get_buffer(self, sizehint: int) -> bytearray:  # type: ignore[override]
            return self.buffer.obj  # type: ignore[return-value]

    data = random.Random(7).randbytes(200_000)

    async def main() -> None:
        async with server_of(tls.client, tls, factory=lambda: Plain(50_000)) as (protocol, peer):
            sending = asyncio.ensure_future(peer.send(data))
            assert await protocol.received(len(data)) == data
            await sending

    run(main())


def test_set_protocol_between_the_kinds(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with client_of(tls.server, tls) as (first, peer):
            transport = first.transport
            for protocol in (Buffered(100), Recorder(), Buffered(50_000)):
                transport.set_protocol(protocol)
                assert transport.get_protocol() is protocol
                await peer.send(b"x" * 1000)
                assert await protocol.received(1000) == b"x" * 1000
            transport.set_protocol(first)

    run(main())


# --- sendfile -------------------------------------------------------------------------------------------------------


@pytest.mark.uvloop_differs("has no sendfile")
def test_sendfile(run: Run, loop: Loop, tls: Tls, tmp_path: Path) -> None:
    data = random.Random(6).randbytes(2 * MIB + 17)
    path = tmp_path / "file"
    path.write_bytes(data)

    async def main() -> None:
        async with tls_pair(tls) as pair:
            with path.open("rb") as file:
                with pytest.raises(RuntimeError, match="fallback is disabled"):
                    await loop.sendfile(pair.client.transport, file, fallback=False)
                assert await loop.sendfile(pair.client.transport, file, 17) == 2 * MIB
            assert await pair.server.received(2 * MIB) == data[17:]
            await talks(*pair, 1000)

    run(main())
