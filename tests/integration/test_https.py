"""HTTP over TLS on real sockets: aiohttp, httpx and uvicorn, each with certificates that are checked."""

# ruff: noqa: SIM117  a server, a session and a request are nested as they live

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp import web

from .apps.api import app
from .conftest import Run, Tls
from .support import uvicorn_process, uvicorn_serving
from .test_aiohttp import digest, echo_json, serving

MIB = 1 << 20
PATTERN = bytes(range(251)) * 17


def session_of(context: ssl.SSLContext, **connector_options: Any) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, **connector_options))


async def echo(request: web.Request) -> web.StreamResponse:
    """Sends back what comes, as it comes."""
    response = web.StreamResponse()
    await response.prepare(request)
    async for chunk in request.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


async def pieces(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * 50_000


# --- aiohttp --------------------------------------------------------------------------------------------------------


def test_aiohttp_keeps_a_connection_for_many_requests(run: Run, tls: Tls) -> None:
    async def main() -> None:
        seen = set()

        async def handler(request: web.Request) -> web.Response:
            assert request.transport is not None
            assert request.scheme == "https"
            seen.add(request.transport.get_extra_info("ssl_object"))
            return web.json_response(request.transport.get_extra_info("cipher"))

        async with serving(web.get("/", handler), ssl_context=tls.server) as url, session_of(tls.client) as session:
            for _ in range(50):
                async with session.get(url) as response:
                    assert response.status == 200
                    assert (await response.json())[1] == "TLSv1.3"
            assert len(seen) == 1
            async with session.get(url, headers={"Connection": "close"}) as response:
                await response.read()
            async with session.get(url) as response:
                await response.read()
            assert len(seen) == 2

    run(main())


def test_aiohttp_answers_many_at_a_time(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with (
            serving(web.post("/", echo_json), ssl_context=tls.server) as url,
            session_of(tls.client, limit=10) as session,
        ):

            async def ask(number: int) -> int:
                async with session.post(url, json={"number": number}) as response:
                    return int((await response.json())["got"]["number"])

            assert await asyncio.gather(*map(ask, range(100))) == list(range(100))

    run(main())


def test_aiohttp_moves_large_bodies_both_ways(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with serving(web.post("/", echo), ssl_context=tls.server) as url, session_of(tls.client) as session:
            async with session.post(url, data=pieces(100)) as response:
                sha, size = hashlib.sha256(), 0
                async for chunk in response.content.iter_chunked(9000):
                    sha.update(chunk)
                    size += len(chunk)
            expected = b"".join([piece async for piece in pieces(100)])
            assert (size, sha.digest()) == (len(expected), hashlib.sha256(expected).digest())

    run(main())


def test_aiohttp_sends_a_file(run: Run, tls: Tls, tmp_path: Path) -> None:
    path = tmp_path / "content"
    path.write_bytes(PATTERN * 500)

    async def main() -> None:
        async def handler(_: web.Request) -> web.FileResponse:
            return web.FileResponse(path)

        async with serving(web.get("/", handler), ssl_context=tls.server) as url, session_of(tls.client) as session:
            async with session.get(url) as response:
                assert await response.read() == PATTERN * 500
            async with session.get(url, headers={"Range": "bytes=1000-1999"}) as response:
                assert response.status == 206
                assert await response.read() == (PATTERN * 500)[1000:2000]

    run(main())


def test_aiohttp_asks_for_the_clients_certificate(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async def who(request: web.Request) -> web.Response:
            assert request.transport is not None
            return web.json_response(request.transport.get_extra_info("peercert")["subjectAltName"])

        async with serving(web.get("/", who), ssl_context=tls.demanding_server) as url:
            async with session_of(tls.certified_client) as session, session.get(url) as response:
                assert await response.json() == [["email", "client@example.org"]]
            async with session_of(tls.client) as session:
                with pytest.raises(aiohttp.ClientError):
                    await session.get(url)

    run(main())


def test_aiohttp_websocket(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async def handler(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse(max_msg_size=4 * MIB)
            await socket.prepare(request)
            async for message in socket:
                if message.data == "enough":
                    await socket.close(code=4001, message=b"as you wish")
                elif message.type is aiohttp.WSMsgType.TEXT:
                    await socket.send_str(message.data[::-1])
                else:
                    await socket.send_bytes(message.data)
            return socket

        async with serving(web.get("/", handler), ssl_context=tls.server) as url, session_of(tls.client) as session:
            async with session.ws_connect(url, max_msg_size=4 * MIB) as socket:
                for number in range(300):
                    await socket.send_str(f"message {number}")
                for number in range(300):
                    assert await socket.receive_str() == f"message {number}"[::-1]
                for size in (0, 1, 16_384, 65_537, 2 * MIB):
                    await socket.send_bytes(b"x" * size)
                    assert await socket.receive_bytes() == b"x" * size
                await socket.send_str("enough")
                closed = await socket.receive()
                assert (closed.type, closed.data, closed.extra) == (aiohttp.WSMsgType.CLOSE, 4001, "as you wish")

    run(main())


# --- httpx ----------------------------------------------------------------------------------------------------------


def test_httpx_streams_both_ways(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with (
            serving(web.post("/", echo), ssl_context=tls.server) as url,
            httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(tls.ca_file))) as client,
        ):
            async with client.stream("POST", url, content=pieces(60)) as response:
                assert response.http_version == "HTTP/1.1"
                got = b"".join([chunk async for chunk in response.aiter_raw()])
            assert got == b"".join([piece async for piece in pieces(60)])

    run(main())


def test_httpx_shows_its_certificate(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with serving(web.post("/", digest), ssl_context=tls.demanding_server) as url:
            async with httpx.AsyncClient(verify=tls.certified_client) as client:
                for _ in range(3):
                    assert (await client.post(url, content=PATTERN)).json()["size"] == len(PATTERN)
            async with httpx.AsyncClient(verify=tls.client) as client:
                with pytest.raises((httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)):
                    await client.post(url, content=PATTERN)

    run(main())


# --- uvicorn and FastAPI --------------------------------------------------------------------------------------------


def test_fastapi_under_uvicorn(run: Run, backend: Any, tls: Tls) -> None:
    async def main() -> None:
        options = {"ssl_certfile": str(tls.cert_file), "ssl_keyfile": str(tls.key_file)}
        async with (
            uvicorn_serving(app, **options) as url,
            httpx.AsyncClient(base_url=url, verify=tls.client) as client,
            session_of(tls.client) as session,
        ):
            assert (await client.get("/loop")).json() == backend.name
            item = {"name": "bolt", "price": 0.5}
            answers = await asyncio.gather(*[client.post(f"/items/{number}", json=item) for number in range(60)])
            assert [answer.json()["number"] for answer in answers] == list(range(60))
            async with session.post(f"{url}/digest", data=pieces(60)) as response:
                whole = b"".join([piece async for piece in pieces(60)])
                assert await response.json() == {"sha": hashlib.sha256(whole).hexdigest(), "size": len(whole)}
            async with client.stream("GET", "/stream/3000") as streamed:
                assert [int(line) async for line in streamed.aiter_lines()] == list(range(3000))
            async with session.ws_connect(f"{url}/ws") as socket:
                for number in range(100):
                    await socket.send_str(f"message {number}")
                    assert await socket.receive_str() == f"message {number}"[::-1]

    run(main())


def test_uvicorn_asks_for_the_clients_certificate(run: Run, tls: Tls) -> None:
    async def main() -> None:
        options = {
            "ssl_certfile": str(tls.cert_file),
            "ssl_keyfile": str(tls.key_file),
            "ssl_ca_certs": str(tls.ca_file),
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
        }
        async with uvicorn_serving(app, **options) as url:
            async with session_of(tls.certified_client) as session, session.get(f"{url}/log") as response:
                assert await response.json() == ["started"]
            async with session_of(tls.client) as session:
                with pytest.raises(aiohttp.ClientError):
                    await session.get(f"{url}/log")

    run(main())


def test_uvicorn_process_with_certificates(backend: Any, tls: Tls) -> None:
    options = ["--ssl-keyfile", str(tls.key_file), "--ssl-certfile", str(tls.cert_file)]
    with uvicorn_process(backend.name, "api:app", *options) as (server, port):
        with httpx.Client(base_url=f"https://localhost:{port}", verify=tls.client) as client:
            assert client.get("/loop").json() == backend.name
            assert client.post("/digest", content=PATTERN * 300).json()["size"] == len(PATTERN) * 300
        server.process.terminate()
        server.wait()
    assert "lifespan ended" in server.output
    assert "Traceback" not in server.output
