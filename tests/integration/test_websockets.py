"""The websockets library, server and client, over TCP and over TLS."""

# ruff: noqa: SIM117  a server, a session and a request are nested as they live

from __future__ import annotations

import asyncio
import itertools
import ssl
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve, unix_serve
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidMessage

from .conftest import Run, Tls

HOST = "127.0.0.1"


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


@dataclass(frozen=True)
class Wire:
    """What the messages go over. The library's own functions, with what they need for that."""

    scheme: str
    server_ssl: ssl.SSLContext | None = None
    client_ssl: ssl.SSLContext | None = None

    def serve(self, handler: Any, **options: Any) -> Any:
        return serve(handler, HOST, 0, ssl=self.server_ssl, **options)

    def connect(self, server: Server, **options: Any) -> Any:
        if self.client_ssl is not None:
            options["ssl"] = self.client_ssl
        return connect(self.url_of(server), **options)

    def url_of(self, server: Server) -> str:
        return f"{self.scheme}://localhost:{next(iter(server.sockets)).getsockname()[1]}"


@pytest.fixture(params=["ws", "wss"])
def wire(request: pytest.FixtureRequest, tls: Tls) -> Wire:
    return Wire("ws") if request.param == "ws" else Wire("wss", tls.server, tls.client)


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages_of_every_size_come_back(run: Run, wire: Wire, compression: str | None) -> None:
    async def main() -> None:
        # A TLS record holds 16384 bytes.
        sizes = [0, 1, 125, 126, 127, 1000, 16383, 16384, 16385, 65535, 65536, 65537, 1_000_000]
        async with wire.serve(echo, compression=compression) as server:
            async with wire.connect(server, compression=compression) as socket:
                for size in sizes:
                    text, data = "é" * (size // 2), bytes(itertools.islice(itertools.cycle(range(251)), size))
                    await socket.send(text)
                    await socket.send(data)
                    assert await socket.recv() == text
                    assert await socket.recv() == data

    run(main())


def test_many_messages_in_flight_keep_their_order(run: Run, wire: Wire) -> None:
    async def main() -> None:
        count = 2000
        async with wire.serve(echo) as server, wire.connect(server) as socket:

            async def send_all() -> None:
                for number in range(count):
                    await socket.send(str(number))

            sending = asyncio.create_task(send_all())
            assert [int(await socket.recv()) for _ in range(count)] == list(range(count))
            await sending

    run(main())


def test_twenty_clients_hear_a_broadcast(run: Run, wire: Wire) -> None:
    async def main() -> None:
        connected: set[ServerConnection] = set()
        all_here = asyncio.Event()

        async def join(socket: ServerConnection) -> None:
            connected.add(socket)
            if len(connected) == 20:
                all_here.set()
            await socket.wait_closed()
            connected.remove(socket)

        async with wire.serve(join) as server:
            clients = await asyncio.gather(*[wire.connect(server) for _ in range(20)])
            await all_here.wait()
            for number in range(20):
                broadcast(connected, f"news {number}")
            for client in clients:
                assert [await client.recv() for _ in range(20)] == [f"news {number}" for number in range(20)]
            await asyncio.gather(*[client.close() for client in clients])
        assert not connected

    run(main())


def test_ping_is_answered_and_timed(run: Run, wire: Wire) -> None:
    async def main() -> None:
        async with wire.serve(echo) as server, wire.connect(server, ping_interval=None) as socket:
            waiters = [await socket.ping() for _ in range(20)]
            latencies = await asyncio.gather(*waiters)
            assert all(0 <= seconds < 20 for seconds in latencies)

    run(main())


def test_keepalive_finds_a_dead_peer(run: Run, wire: Wire) -> None:
    async def main() -> None:
        found_dead = asyncio.Event()

        async def never_pongs(socket: ServerConnection) -> None:
            socket.transport.pause_reading()
            await found_dead.wait()
            socket.transport.abort()

        async with (
            wire.serve(never_pongs) as server,
            wire.connect(server, ping_interval=0.05, ping_timeout=0.05, close_timeout=0.1) as socket,
        ):
            with pytest.raises(ConnectionClosedError, match="keepalive ping timeout"):
                await socket.recv()
            found_dead.set()

    run(main())


@pytest.mark.parametrize("closer", ["client", "server"])
def test_close_handshake_carries_code_and_reason(run: Run, wire: Wire, closer: str) -> None:
    async def main() -> None:
        seen: asyncio.Future[tuple[int | None, str | None]] = asyncio.get_running_loop().create_future()

        async def handler(socket: ServerConnection) -> None:
            if closer == "server":
                await socket.close(4321, "until then")
            else:
                with pytest.raises(ConnectionClosedOK):
                    await socket.recv()
            seen.set_result((socket.close_code, socket.close_reason))

        async with wire.serve(handler) as server:
            socket: ClientConnection = await wire.connect(server)
            if closer == "client":
                await socket.close(1001, "going away")
                expected = (1001, "going away")
                with pytest.raises(ConnectionClosedOK):
                    await socket.send("too late")
            else:
                with pytest.raises(ConnectionClosedError):
                    await socket.recv()
                expected = (4321, "until then")
            assert await seen == expected
            assert (socket.close_code, socket.close_reason) == expected

    run(main())


def test_failing_handler_closes_with_internal_error(run: Run, wire: Wire) -> None:
    async def main() -> None:
        async def fail(_: ServerConnection) -> None:
            raise ZeroDivisionError

        async with wire.serve(fail) as server, wire.connect(server) as socket:
            with pytest.raises(ConnectionClosedError) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011

    run(main())


def test_connection_that_is_cut_is_closed_abnormally(run: Run, wire: Wire) -> None:
    async def main() -> None:
        async def cut(socket: ServerConnection) -> None:
            await socket.recv()
            socket.transport.abort()

        async with wire.serve(cut) as server, wire.connect(server) as socket:
            await socket.send("cut it")
            with pytest.raises(ConnectionClosedError):
                await socket.recv()
            assert socket.close_code == 1006

    run(main())


def test_server_close_waits_for_its_handlers(run: Run, wire: Wire) -> None:
    async def main() -> None:
        ended = []

        async def handler(socket: ServerConnection) -> None:
            async for _ in socket:
                pass
            ended.append(socket.close_code)

        async with wire.serve(handler) as server:
            sockets = [await wire.connect(server) for _ in range(5)]
        assert ended == [1001] * 5
        for socket in sockets:
            await socket.wait_closed()
            assert socket.close_code == 1001

    run(main())


def test_slow_reader_holds_the_writer_back(run: Run, wire: Wire) -> None:
    async def main() -> None:
        message = b"x" * 100_000
        blocked = asyncio.Event()

        async def flood(socket: ServerConnection) -> None:
            for _ in range(120):
                sending = asyncio.ensure_future(socket.send(message))
                _, pending = await asyncio.wait([sending], timeout=0.05)
                if pending:
                    blocked.set()
                await sending

        async with wire.serve(flood, compression=None) as server:
            async with wire.connect(server, compression=None, max_queue=2) as socket:
                await blocked.wait()
                for _ in range(120):
                    assert await socket.recv() == message

    run(main())


def test_what_is_not_trusted_or_not_tls_is_refused(run: Run, tls: Tls) -> None:
    async def main() -> None:
        trusting = Wire("wss", tls.server, tls.client)
        async with trusting.serve(echo) as server:
            with pytest.raises(ssl.SSLCertVerificationError):
                await Wire("wss").connect(server)
            with pytest.raises((InvalidMessage, ConnectionError)):
                await Wire("ws").connect(server)
            async with trusting.connect(server) as socket:
                await socket.send("still served")
                assert await socket.recv() == "still served"

    run(main())


def test_over_a_unix_socket(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    async def main() -> None:
        path = str(tmp_path_factory.mktemp("ws") / "ws.sock")
        async with unix_serve(echo, path), unix_connect(path) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"

    run(main())
