"""httpx's asynchronous client against aiohttp and uvicorn."""

# ruff: noqa: SIM117  a server, a session and a request are nested as they live

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from .apps.api import app
from .conftest import Run, Tls
from .support import uvicorn_serving
from .test_aiohttp import digest, echo_json, serving


def test_json_round_trips_to_aiohttp(run: Run) -> None:
    async def main() -> None:
        async with serving(web.post("/", echo_json)) as url, httpx.AsyncClient() as client:
            answers = await asyncio.gather(*[client.post(url, json={"number": number}) for number in range(100)])
            assert [answer.json()["got"]["number"] for answer in answers] == list(range(100))

    run(main())


def test_connections_are_pooled(run: Run) -> None:
    async def main() -> None:
        peers = set()

        async def handler(request: web.Request) -> web.Response:
            assert request.transport is not None
            peers.add(request.transport.get_extra_info("peername"))
            return web.Response()

        limits = httpx.Limits(max_connections=3)
        async with serving(web.get("/", handler)) as url, httpx.AsyncClient(limits=limits) as client:
            await asyncio.gather(*[client.get(url) for _ in range(60)])
            assert 1 <= len(peers) <= 3

    run(main())


def test_streaming_both_ways(run: Run) -> None:
    async def main() -> None:
        async def echo(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            async for chunk in request.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

        async def body() -> AsyncIterator[bytes]:
            for number in range(64):
                yield bytes([number]) * 20_000

        async with serving(web.post("/", echo)) as url, httpx.AsyncClient() as client:
            async with client.stream("POST", url, content=body()) as response:
                got = b"".join([chunk async for chunk in response.aiter_raw()])
        assert got == b"".join([bytes([number]) * 20_000 for number in range(64)])

    run(main())


def test_read_timeout(run: Run) -> None:
    async def main() -> None:
        release = asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            await release.wait()
            return web.Response(text="late")

        async with serving(web.get("/", slow)) as url, httpx.AsyncClient() as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get(url, timeout=0.05)
            release.set()
            assert (await client.get(url)).text == "late"

    run(main())


def test_pool_timeout(run: Run) -> None:
    async def main() -> None:
        entered, release = asyncio.Event(), asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            entered.set()
            await release.wait()
            return web.Response(text="done")

        limits = httpx.Limits(max_connections=1)
        async with serving(web.get("/", slow)) as url, httpx.AsyncClient(limits=limits) as client:
            first = asyncio.create_task(client.get(url))
            await entered.wait()
            with pytest.raises(httpx.PoolTimeout):
                await client.get(url, timeout=httpx.Timeout(None, pool=0.05))
            release.set()
            assert (await first).text == "done"

    run(main())


def test_cancelled_request_leaves_a_usable_client(run: Run) -> None:
    async def main() -> None:
        entered, release = asyncio.Event(), asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            entered.set()
            await release.wait()
            return web.Response(text="done")

        limits = httpx.Limits(max_connections=1)
        async with serving(web.get("/", slow)) as url, httpx.AsyncClient(limits=limits) as client:
            request = asyncio.create_task(client.get(url))
            await entered.wait()
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            release.set()
            assert (await client.get(url)).text == "done"

    run(main())


def test_refused_connection(run: Run) -> None:
    async def main() -> None:
        async with serving() as url:
            pass
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(url)

    run(main())


def test_tls(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with (
            serving(web.post("/", digest), ssl_context=tls.server) as url,
            httpx.AsyncClient(verify=tls.client) as client,
        ):
            for _ in range(5):
                assert (await client.post(url, content=b"x" * 300_000)).json()["size"] == 300_000

        async with serving(web.post("/", digest), ssl_context=tls.server) as url, httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.post(url)

    run(main())


def test_unix_socket(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        path = str(tmp_path / "http.sock")
        application = web.Application()
        application.router.add_post("/", echo_json)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await web.UnixSite(runner, path).start()
            async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=path)) as client:
                assert (await client.post("http://localhost/", json=1)).json() == {"method": "POST", "got": 1}
        finally:
            await runner.cleanup()

    run(main())


def test_application_called_in_process(run: Run, backend: Any) -> None:
    async def main() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            assert (await client.get("/loop")).json() == backend.name

    run(main())


def test_redirects_and_cookies_through_uvicorn(run: Run) -> None:
    async def main() -> None:
        from starlette.applications import Starlette
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse, RedirectResponse
        from starlette.routing import Route

        async def login(_: Request) -> RedirectResponse:
            response = RedirectResponse("/whoami")
            response.set_cookie("user", "ada")
            return response

        async def whoami(request: Request) -> PlainTextResponse:
            return PlainTextResponse(request.cookies["user"])

        application = Starlette(routes=[Route("/login", login), Route("/whoami", whoami)])
        async with (
            uvicorn_serving(application) as url,
            httpx.AsyncClient(base_url=url, follow_redirects=True) as client,
        ):
            assert (await client.get("/login")).text == "ada"

    run(main())
