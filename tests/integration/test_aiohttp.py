"""aiohttp, server and client, on real sockets."""

# ruff: noqa: SIM117  a server, a session and a request are nested as they live

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer

from .conftest import Run, Tls

HOST = "127.0.0.1"


@asynccontextmanager
async def serving(
    *routes: web.RouteDef, ssl_context: ssl.SSLContext | None = None, **runner_options: Any
) -> AsyncIterator[str]:
    """A server for the routes on a port of its own; gives its URL."""
    app = web.Application(client_max_size=64 << 20)
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, **runner_options)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, 0, ssl_context=ssl_context)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"https://localhost:{port}" if ssl_context else f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def fetch(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as response:
        return await response.text()


async def echo_json(request: web.Request) -> web.Response:
    return web.json_response({"method": request.method, "got": await request.json()})


async def digest(request: web.Request) -> web.Response:
    sha, size = hashlib.sha256(), 0
    async for chunk in request.content.iter_any():
        sha.update(chunk)
        size += len(chunk)
    return web.json_response(
        {"sha": sha.hexdigest(), "size": size, "chunked": request.headers.get("Transfer-Encoding") == "chunked"}
    )


async def echo_websocket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(max_msg_size=16 << 20)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            if message.data == "close":
                await socket.close(code=4001, message=b"as you wish")
            else:
                await socket.send_str(message.data[::-1])
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


def test_hundred_requests_at_a_time_are_each_answered(run: Run) -> None:
    async def main() -> None:
        async with serving(web.post("/", echo_json)) as url, aiohttp.ClientSession() as session:

            async def ask(number: int) -> int:
                async with session.post(url, json={"number": number}) as response:
                    assert response.status == 200
                    return int((await response.json())["got"]["number"])

            assert await asyncio.gather(*map(ask, range(300))) == list(range(300))

    run(main())


def test_one_connection_is_kept_for_many_requests(run: Run) -> None:
    async def main() -> None:
        peers = set()

        async def handler(request: web.Request) -> web.Response:
            assert request.transport is not None
            peers.add(request.transport.get_extra_info("peername"))
            return web.Response(text="ok")

        connector = aiohttp.TCPConnector(limit=1)
        async with serving(web.get("/", handler)) as url, aiohttp.ClientSession(connector=connector) as session:
            for _ in range(50):
                async with session.get(url) as response:
                    assert await response.text() == "ok"
            assert len(peers) == 1
            async with session.get(url, headers={"Connection": "close"}) as response:
                await response.read()
            async with session.get(url) as response:
                await response.read()
            assert len(peers) == 2

    run(main())


def test_response_streams_chunk_by_chunk(run: Run) -> None:
    async def main() -> None:
        may_send: asyncio.Queue[bytes] = asyncio.Queue()

        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            while piece := await may_send.get():
                await response.write(piece)
            await response.write_eof()
            return response

        async with serving(web.get("/", handler)) as url, aiohttp.ClientSession() as session:
            async with session.get(url) as response:
                assert response.headers["Transfer-Encoding"] == "chunked"
                for number in range(100):
                    piece = b"piece %d" % number
                    may_send.put_nowait(piece)  # the next is sent only after this one came: nothing waits for more
                    assert await response.content.readexactly(len(piece)) == piece
                may_send.put_nowait(b"")
                assert await response.content.read() == b""

    run(main())


def test_large_response_arrives_whole_at_a_slow_reader(run: Run) -> None:
    async def main() -> None:
        piece = bytes(range(256)) * 256
        number_of_pieces = 256

        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(number_of_pieces):
                await response.write(piece)
            await response.write_eof()
            return response

        async with serving(web.get("/", handler)) as url, aiohttp.ClientSession() as session:
            async with session.get(url) as response:
                sha, size = hashlib.sha256(), 0
                async for chunk in response.content.iter_chunked(5000):
                    sha.update(chunk)
                    size += len(chunk)
                    if size % 50_000 < 5000:
                        await asyncio.sleep(0)
        assert size == len(piece) * number_of_pieces
        assert sha.hexdigest() == hashlib.sha256(piece * number_of_pieces).hexdigest()

    run(main())


def test_chunked_upload_arrives_whole(run: Run) -> None:
    async def main() -> None:
        chunks = [bytes([number]) * 40_000 for number in range(200)]

        async def body() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        async with serving(web.post("/", digest)) as url, aiohttp.ClientSession() as session:
            async with session.post(url, data=body()) as response:
                got = await response.json()
        whole = b"".join(chunks)
        assert got == {"sha": hashlib.sha256(whole).hexdigest(), "size": len(whole), "chunked": True}

    run(main())


def test_multipart_form_upload(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async def handler(request: web.Request) -> web.Response:
            form = await request.post()
            field = form["file"]
            assert isinstance(field, web.FileField)
            content = field.file.read()
            field.file.close()
            return web.json_response({"name": field.filename, "size": len(content), "note": form["note"]})

        path = tmp_path / "big.bin"
        path.write_bytes(b"\0" * 3_000_000)
        async with serving(web.post("/", handler)) as url, aiohttp.ClientSession() as session:
            with path.open("rb") as file:
                async with session.post(url, data={"file": file, "note": "hello"}) as response:
                    assert await response.json() == {"name": "big.bin", "size": 3_000_000, "note": "hello"}

    run(main())


def test_file_response_with_a_range(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        content = bytes(range(256)) * 8192
        path = tmp_path / "content.bin"
        path.write_bytes(content)

        async def handler(_: web.Request) -> web.FileResponse:
            return web.FileResponse(path)

        async with serving(web.get("/", handler)) as url, aiohttp.ClientSession() as session:
            async with session.get(url) as response:
                assert await response.read() == content
            async with session.get(url, headers={"Range": "bytes=1000-1999"}) as response:
                assert response.status == 206
                assert await response.read() == content[1000:2000]

    run(main())


def test_websocket_messages_and_close_code(run: Run) -> None:
    async def main() -> None:
        async with serving(web.get("/", echo_websocket)) as url, aiohttp.ClientSession() as session:
            async with session.ws_connect(url, max_msg_size=16 << 20) as socket:
                for number in range(500):
                    await socket.send_str(f"message {number}")
                for number in range(500):
                    assert await socket.receive_str() == f"message {number}"[::-1]
                large = bytes(range(256)) * 16384
                await socket.send_bytes(large)
                assert await socket.receive_bytes() == large
                await socket.send_str("close")
                message = await socket.receive()
                assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 4001, "as you wish")
                assert socket.closed
                assert socket.close_code == 4001

    run(main())


def test_websocket_heartbeat_is_answered(run: Run) -> None:
    async def main() -> None:
        pinged = asyncio.Event()

        async def handler(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse(autoping=False)
            await socket.prepare(request)
            message = await socket.receive()
            assert message.type is WSMsgType.PING
            await socket.pong(message.data)
            pinged.set()
            await socket.close()
            return socket

        async with serving(web.get("/", handler)) as url, aiohttp.ClientSession() as session:
            async with session.ws_connect(url, heartbeat=0.02) as socket:
                await pinged.wait()
                assert (await socket.receive()).type is WSMsgType.CLOSE

    run(main())


def test_total_timeout_ends_the_request_and_cancels_the_handler(run: Run) -> None:
    async def main() -> None:
        cancelled = asyncio.Event()

        async def handler(_: web.Request) -> web.Response:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
            return web.Response()

        async with (
            serving(web.get("/", handler), handler_cancellation=True) as url,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.1)) as session,
        ):
            with pytest.raises(asyncio.TimeoutError):
                await session.get(url)
            await cancelled.wait()

    run(main())


def test_client_that_is_cancelled_leaves_a_usable_session(run: Run) -> None:
    async def main() -> None:
        entered = asyncio.Event()
        release = asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            entered.set()
            await release.wait()
            return web.Response()

        async def quick(_: web.Request) -> web.Response:
            return web.Response(text="quick")

        async with (
            serving(web.get("/slow", slow), web.get("/quick", quick)) as url,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session,
        ):
            request = asyncio.create_task(fetch(session, f"{url}/slow"))
            await entered.wait()
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert await fetch(session, f"{url}/quick") == "quick"  # the only connection was given back
            release.set()

    run(main())


def test_server_that_drops_the_connection_is_a_client_error(run: Run) -> None:
    async def main() -> None:
        async def before_headers(request: web.Request) -> web.Response:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        async def in_the_body(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"some")
            assert request.transport is not None
            request.transport.close()
            return response

        async with (
            serving(web.post("/before", before_headers), web.get("/in", in_the_body)) as url,
            aiohttp.ClientSession() as session,
        ):
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.post(f"{url}/before")
            with pytest.raises(aiohttp.ClientPayloadError):
                async with session.get(f"{url}/in") as response:
                    await response.read()

    run(main())


def test_connection_refused_is_a_client_error(run: Run) -> None:
    async def main() -> None:
        async with serving() as url:
            pass
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(url)

    run(main())


def test_cleanup_lets_a_request_in_flight_finish(run: Run) -> None:
    async def main() -> None:
        entered, release = asyncio.Event(), asyncio.Event()

        async def handler(_: web.Request) -> web.Response:
            entered.set()
            await release.wait()
            return web.Response(text="finished")

        async with aiohttp.ClientSession() as session:
            async with serving(web.get("/", handler)) as url:
                answer = asyncio.create_task(fetch(session, url))
                await entered.wait()
                asyncio.get_running_loop().call_later(0.05, release.set)  # while cleanup() waits
            assert await answer == "finished"

    run(main())


def test_tls_requests_and_websocket(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with (
            serving(web.post("/", digest), web.get("/ws", echo_websocket), ssl_context=tls.server) as url,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls.client)) as session,
        ):
            body = bytes(range(256)) * 3000
            for _ in range(10):
                async with session.post(url, data=body) as response:
                    assert (await response.json())["sha"] == hashlib.sha256(body).hexdigest()
            async with session.ws_connect(f"{url}/ws") as socket:
                await socket.send_str("abc")
                assert await socket.receive_str() == "cba"

    run(main())


def test_tls_certificate_that_is_not_trusted_is_refused(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with serving(web.post("/", digest), ssl_context=tls.server) as url, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.post(url, data=b"secret")

    run(main())


def test_unix_socket(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        path = str(tmp_path / "http.sock")
        app = web.Application()
        app.router.add_post("/", echo_json)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.UnixSite(runner, path).start()
            async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session:
                async with session.post("http://localhost/", json=[1, 2]) as response:
                    assert await response.json() == {"method": "POST", "got": [1, 2]}
        finally:
            await runner.cleanup()

    run(main())


def test_its_own_test_client(run: Run) -> None:
    async def main() -> None:
        app = web.Application()
        app.router.add_put("/", echo_json)
        async with TestClient(TestServer(app)) as client:
            response = await client.put("/", json="hello")
            assert await response.json() == {"method": "PUT", "got": "hello"}

    run(main())
