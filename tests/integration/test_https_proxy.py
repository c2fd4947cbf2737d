"""aiohttp through an HTTP proxy: CONNECT, then start_tls() on the connection; through a proxy over TLS, TLS in TLS."""

# ruff: noqa: SIM117  a server, a session and a request are nested as they live

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from .conftest import Run, Tls
from .test_aiohttp import digest, echo_websocket, serving
from .test_https import echo, pieces

HOST = "127.0.0.1"


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything from one connection to another, and its end."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


class Proxy:
    """A proxy that knows CONNECT only, and remembers whom it was asked for."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        method, target, _ = (await reader.readuntil(b"\r\n\r\n")).split(maxsplit=2)
        assert method == b"CONNECT"
        self.targets.append(target.decode())
        there_reader, there_writer = await asyncio.open_connection(HOST, int(target.rsplit(b":", 1)[1]))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(relay(reader, there_writer), relay(there_reader, writer))

    async def finish(self) -> None:
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def proxying(context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Proxy, str]]:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, HOST, 0, ssl=context)
    async with server:
        yield proxy, f"http{'s' if context else ''}://localhost:{server.sockets[0].getsockname()[1]}"
        await proxy.finish()


@pytest.mark.parametrize(
    "over_tls",
    [
        pytest.param(False, id="start_tls"),
        pytest.param(
            True,
            id="tls_in_tls",
            marks=pytest.mark.uvloop_differs("aiohttp warns that its transports do not support it", run=False),
        ),
    ],
)
def test_requests_and_websocket_through_a_proxy(run: Run, tls: Tls, over_tls: bool) -> None:
    async def main() -> None:
        async with proxying(tls.server if over_tls else None) as (proxy, proxy_url):
            routes = web.post("/digest", digest), web.post("/echo", echo), web.get("/ws", echo_websocket)
            async with serving(*routes, ssl_context=tls.server) as url:
                connector = aiohttp.TCPConnector(ssl=tls.client)
                async with aiohttp.ClientSession(connector=connector, proxy=proxy_url) as session:
                    for size in (10, 100_000):
                        async with session.post(f"{url}/digest", data=b"x" * size) as response:
                            assert (await response.json())["sha"] == hashlib.sha256(b"x" * size).hexdigest()
                    async with session.post(f"{url}/echo", data=pieces(40)) as response:
                        assert await response.read() == b"".join([piece async for piece in pieces(40)])
                    async with session.ws_connect(f"{url}/ws") as socket:
                        await socket.send_str("abc")
                        assert await socket.receive_str() == "cba"
            assert set(proxy.targets) == {url.removeprefix("https://")}

    run(main())


def test_certificate_behind_a_proxy_is_checked(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with proxying() as (_, proxy_url), serving(web.post("/", digest), ssl_context=tls.server) as url:
            async with aiohttp.ClientSession() as session:  # which does not know our authority
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await session.post(url, proxy=proxy_url)

    run(main())
