"""The websockets library over TLS, server and client."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidMessage

from .conftest import Run, Tls
from .test_websockets import HOST, echo, url_of


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages_of_every_size_come_back(run: Run, tls: Tls, compression: str | None) -> None:
    async def main() -> None:
        async with (
            serve(echo, HOST, 0, ssl=tls.server, compression=compression) as server,
            connect(url_of(server, "wss"), ssl=tls.client, compression=compression) as socket,
        ):
            # TLS records hold 16384 bytes.
            for size in (0, 1, 125, 126, 16_383, 16_384, 16_385, 65_536, 1_000_000):
                await socket.send("é" * (size // 2))
                await socket.send(b"x" * size)
                assert await socket.recv() == "é" * (size // 2)
                assert await socket.recv() == b"x" * size

    run(main())


def test_many_messages_in_flight_keep_their_order(run: Run, tls: Tls) -> None:
    async def main() -> None:
        count = 2000
        async with (
            serve(echo, HOST, 0, ssl=tls.server) as server,
            connect(url_of(server, "wss"), ssl=tls.client) as socket,
        ):

            async def send_all() -> None:
                for number in range(count):
                    await socket.send(str(number))

            sending = asyncio.create_task(send_all())
            assert [int(await socket.recv()) for _ in range(count)] == list(range(count))
            await sending

    run(main())


def test_clients_hear_a_broadcast(run: Run, tls: Tls) -> None:
    async def main() -> None:
        connected: set[ServerConnection] = set()
        all_here = asyncio.Event()

        async def join(socket: ServerConnection) -> None:
            connected.add(socket)
            if len(connected) == 20:
                all_here.set()
            await socket.wait_closed()

        async with serve(join, HOST, 0, ssl=tls.server) as server:
            clients = await asyncio.gather(*[connect(url_of(server, "wss"), ssl=tls.client) for _ in range(20)])
            await all_here.wait()
            for number in range(20):
                broadcast(connected, f"news {number}")
            for client in clients:
                assert [await client.recv() for _ in range(20)] == [f"news {number}" for number in range(20)]
            await asyncio.gather(*[client.close() for client in clients])

    run(main())


@pytest.mark.parametrize("closer", ["client", "server"])
def test_close_handshake_carries_code_and_reason(run: Run, tls: Tls, closer: str) -> None:
    async def main() -> None:
        seen: asyncio.Future[tuple[int | None, str | None]] = asyncio.get_running_loop().create_future()

        async def handler(socket: ServerConnection) -> None:
            if closer == "server":
                await socket.close(4321, "until then")
            else:
                with pytest.raises(ConnectionClosedOK):
                    await socket.recv()
            seen.set_result((socket.close_code, socket.close_reason))

        async with serve(handler, HOST, 0, ssl=tls.server) as server:
            socket = await connect(url_of(server, "wss"), ssl=tls.client)
            if closer == "client":
                await socket.close(1001, "going away")
                expected = (1001, "going away")
            else:
                with pytest.raises(ConnectionClosedError):
                    await socket.recv()
                expected = (4321, "until then")
            assert await seen == expected
            assert (socket.close_code, socket.close_reason) == expected

    run(main())


def test_connection_that_is_cut_is_closed_abnormally(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async def cut(socket: ServerConnection) -> None:
            await socket.recv()
            socket.transport.abort()

        async with (
            serve(cut, HOST, 0, ssl=tls.server) as server,
            connect(url_of(server, "wss"), ssl=tls.client) as socket,
        ):
            await socket.send("cut it")
            with pytest.raises(ConnectionClosedError):
                await socket.recv()
            assert socket.close_code == 1006

    run(main())


def test_slow_reader_holds_the_writer_back(run: Run, tls: Tls) -> None:
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

        async with (
            serve(flood, HOST, 0, ssl=tls.server, compression=None) as server,
            connect(url_of(server, "wss"), ssl=tls.client, compression=None, max_queue=2) as socket,
        ):
            await blocked.wait()
            for _ in range(120):
                assert await socket.recv() == message

    run(main())


def test_what_is_not_trusted_or_not_tls_is_refused(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with serve(echo, HOST, 0, ssl=tls.server) as server:
            with pytest.raises(ssl.SSLCertVerificationError):
                await connect(url_of(server, "wss"))
            with pytest.raises((InvalidMessage, ConnectionError)):
                await connect(url_of(server, "ws"))
            async with connect(url_of(server, "wss"), ssl=tls.client) as socket:
                await socket.send("still served")
                assert await socket.recv() == "still served"

    run(main())
