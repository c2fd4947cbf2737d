"""Starlette through its own TestClient, which runs the loop in a thread behind an anyio portal, and under uvicorn."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from .apps.api import app as fastapi_app
from .conftest import Run
from .support import uvicorn_serving

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its next major version wants another HTTP client than httpx
    from starlette.testclient import TestClient


@pytest.fixture
def client_of(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> Callable[[Any], TestClient]:
    return lambda app: TestClient(app, backend_options={"loop_factory": loop_factory})


def test_fastapi_through_the_test_client(client_of: Callable[[Any], TestClient], backend: Any) -> None:
    with client_of(fastapi_app) as client:
        assert client.get("/loop").json() == backend.name
        assert client.get("/threads").json() is True
        assert client.get("/stream/1000").text.splitlines() == [str(number) for number in range(1000)]
        client.post("/background")
        assert client.get("/log").json() == ["started", "worked in the background"]
    assert fastapi_app.state.log[-1] == "stopped"


def test_websocket_through_the_test_client(client_of: Callable[[Any], TestClient]) -> None:
    async def endpoint(socket: WebSocket) -> None:
        await socket.accept(subprotocol="reverse")
        await socket.send_text((await socket.receive_text())[::-1])
        await socket.close(4000, "enough")

    client = client_of(Starlette(routes=[WebSocketRoute("/", endpoint)]))
    with client.websocket_connect("/", subprotocols=["reverse"]) as socket:
        assert socket.accepted_subprotocol == "reverse"
        socket.send_text("abc")
        assert socket.receive_text() == "cba"
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert (closed.value.code, closed.value.reason) == (4000, "enough")


def test_streaming_from_async_and_plain_generators(run: Run) -> None:
    loop_thread = threading.get_ident()

    async def on_the_loop() -> AsyncIterator[str]:
        for number in range(500):
            yield f"{number}\n"
            await asyncio.sleep(0)

    def in_threads() -> Any:
        for number in range(50):
            assert threading.get_ident() != loop_thread
            yield f"{number}\n"

    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(on_the_loop() if request.path_params["kind"] == "async" else in_threads())

    async def main() -> None:
        app = Starlette(routes=[Route("/{kind}", stream)])
        async with uvicorn_serving(app) as url, httpx.AsyncClient(base_url=url) as client:
            answers = await asyncio.gather(*[client.get("/async") for _ in range(5)], client.get("/plain"))
            for answer, count in zip(answers, [500] * 5 + [50], strict=True):
                assert answer.text.split() == [str(number) for number in range(count)]

    run(main())


def test_file_response_and_background_task(run: Run, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    path = tmp_path / "content.bin"
    path.write_bytes(content)

    async def main() -> None:
        sent = asyncio.Event()

        async def note() -> None:
            sent.set()

        async def file(_: Request) -> FileResponse:
            return FileResponse(path, background=BackgroundTask(note))

        async with (
            uvicorn_serving(Starlette(routes=[Route("/", file)])) as url,
            httpx.AsyncClient(base_url=url) as client,
        ):
            assert (await client.get("/")).content == content
            await sent.wait()

    run(main())


def test_large_bodies_are_echoed(run: Run) -> None:
    async def echo(request: Request) -> JSONResponse:
        body = await request.body()
        return JSONResponse({"size": len(body), "disconnected": await request.is_disconnected()})

    async def main() -> None:
        app = Starlette(routes=[Route("/", echo, methods=["POST"])])
        async with uvicorn_serving(app) as url, httpx.AsyncClient(base_url=url) as client:
            for size in (0, 1, 65_536, 5_000_000):
                assert (await client.post("/", content=b"x" * size)).json() == {"size": size, "disconnected": False}

    run(main())
