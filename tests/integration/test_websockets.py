"""The websockets library, server and client."""

# ruff: noqa: SIM117  a server, a session and a request are nested as they live

from __future__ import annotations

import asyncio
import itertools

import pytest
from websockets.asyncio.client import connect, unix_connect
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve, unix_serve
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from .conftest import Run, Tls

HOST = "127.0.0.1"


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


def url_of(server: Server, scheme: str = "ws") -> str:
    port = next(iter(server.sockets)).getsockname()[1]
    return f"{scheme}://localhost:{port}"


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages_of_every_size_come_back(run: Run, compression: str | None) -> None:
    async def main() -> None:
        sizes = [0, 1, 125, 126, 127, 1000, 65535, 65536, 65537, 1_000_000]
        async with serve(echo, HOST, 0, compression=compression) as server:
            async with connect(url_of(server), compression=compression) as socket:
                for size in sizes:
                    text, data = "é" * (size // 2), bytes(itertools.islice(itertools.cycle(range(251)), size))
                    await socket.send(text)
                    await socket.send(data)
                    assert await socket.recv() == text
                    assert await socket.recv() == data

    run(main())


def test_many_messages_in_flight_keep_their_order(run: Run) -> None:
    async def main() -> None:
        count = 5000
        async with serve(echo, HOST, 0) as server, connect(url_of(server)) as socket:

            async def send_all() -> None:
                for number in range(count):
                    await socket.send(str(number))

            sending = asyncio.create_task(send_all())
            assert [int(await socket.recv()) for _ in range(count)] == list(range(count))
            await sending

    run(main())


def test_fifty_clients_hear_a_broadcast(run: Run) -> None:
    async def main() -> None:
        connected: set[ServerConnection] = set()
        all_here = asyncio.Event()

        async def join(socket: ServerConnection) -> None:
            connected.add(socket)
            if len(connected) == 50:
                all_here.set()
            await socket.wait_closed()
            connected.remove(socket)

        async with serve(join, HOST, 0) as server:
            clients = await asyncio.gather(*[connect(url_of(server)) for _ in range(50)])
            await all_here.wait()
            for number in range(20):
                broadcast(connected, f"news {number}")
            for client in clients:
                assert [await client.recv() for _ in range(20)] == [f"news {number}" for number in range(20)]
            await asyncio.gather(*[client.close() for client in clients])
        assert not connected

    run(main())


def test_ping_is_answered_and_timed(run: Run) -> None:
    async def main() -> None:
        async with serve(echo, HOST, 0) as server, connect(url_of(server), ping_interval=None) as socket:
            waiters = [await socket.ping() for _ in range(20)]
            latencies = await asyncio.gather(*waiters)
            assert all(0 <= seconds < 20 for seconds in latencies)

    run(main())


def test_keepalive_finds_a_dead_peer(run: Run) -> None:
    async def main() -> None:
        found_dead = asyncio.Event()

        async def never_pongs(socket: ServerConnection) -> None:
            socket.transport.pause_reading()
            await found_dead.wait()
            socket.transport.abort()

        async with (
            serve(never_pongs, HOST, 0) as server,
            connect(url_of(server), ping_interval=0.05, ping_timeout=0.05, close_timeout=0.1) as socket,
        ):
            with pytest.raises(ConnectionClosedError, match="keepalive ping timeout"):
                await socket.recv()
            found_dead.set()

    run(main())


def test_close_handshake_carries_code_and_reason(run: Run) -> None:
    async def main() -> None:
        seen: asyncio.Future[tuple[int | None, str | None]] = asyncio.get_running_loop().create_future()

        async def until_closed(socket: ServerConnection) -> None:
            with pytest.raises(ConnectionClosedOK):
                await socket.recv()
            seen.set_result((socket.close_code, socket.close_reason))

        async with serve(until_closed, HOST, 0) as server:
            socket = await connect(url_of(server))
            await socket.close(1001, "going away")
            assert await seen == (1001, "going away")
            assert (socket.close_code, socket.close_reason) == (1001, "going away")
            with pytest.raises(ConnectionClosedOK):
                await socket.send("too late")

    run(main())


def test_failing_handler_closes_with_internal_error(run: Run) -> None:
    async def main() -> None:
        async def fail(_: ServerConnection) -> None:
            raise ZeroDivisionError

        async with serve(fail, HOST, 0) as server, connect(url_of(server)) as socket:
            with pytest.raises(ConnectionClosedError) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011

    run(main())


def test_connection_that_is_cut_is_closed_abnormally(run: Run) -> None:
    async def main() -> None:
        async def cut(socket: ServerConnection) -> None:
            await socket.recv()
            socket.transport.abort()

        async with serve(cut, HOST, 0) as server, connect(url_of(server)) as socket:
            await socket.send("cut it")
            with pytest.raises(ConnectionClosedError):
                await socket.recv()
            assert socket.close_code == 1006

    run(main())


def test_server_close_waits_for_its_handlers(run: Run) -> None:
    async def main() -> None:
        ended = []

        async def handler(socket: ServerConnection) -> None:
            async for _ in socket:
                pass
            ended.append(socket.close_code)

        async with serve(handler, HOST, 0) as server:
            sockets = [await connect(url_of(server)) for _ in range(5)]
        assert ended == [1001] * 5
        for socket in sockets:
            await socket.wait_closed()
            assert socket.close_code == 1001

    run(main())


def test_slow_reader_holds_the_writer_back(run: Run) -> None:
    async def main() -> None:
        message = b"x" * 100_000
        blocked = asyncio.Event()

        async def flood(socket: ServerConnection) -> None:
            for _ in range(200):
                sending = asyncio.ensure_future(socket.send(message))
                _, pending = await asyncio.wait([sending], timeout=0.05)
                if pending:
                    blocked.set()
                await sending

        async with serve(flood, HOST, 0, compression=None) as server:
            async with connect(url_of(server), compression=None, max_queue=2) as socket:
                await blocked.wait()
                for _ in range(200):
                    assert await socket.recv() == message

    run(main())


def test_over_tls(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with serve(echo, HOST, 0, ssl=tls.server) as server:
            async with connect(url_of(server, "wss"), ssl=tls.client) as socket:
                for number in range(200):
                    await socket.send(str(number) * 100)
                for number in range(200):
                    assert await socket.recv() == str(number) * 100

    run(main())


def test_over_a_unix_socket(run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    async def main() -> None:
        path = str(tmp_path_factory.mktemp("ws") / "ws.sock")
        async with unix_serve(echo, path), unix_connect(path) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"

    run(main())
