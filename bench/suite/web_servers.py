"""The servers of web frameworks, each as its users would start it, but for logs and time-outs."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

from suite.listening import BACKLOG, KEPT, Serve

_KEEP_ALIVE_S = 600
"""A server that waits for its turn is stopped for longer than the 5 s that are usual."""


async def _plain_asgi(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"13")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"Hello, world!"})


def _run_uvicorn(listener: socket.socket, app: Any, **options: Any) -> None:
    import uvicorn

    config = uvicorn.Config(
        app, access_log=False, log_level="warning", backlog=BACKLOG, timeout_keep_alive=_KEEP_ALIVE_S, **options
    )
    KEPT.append(asyncio.ensure_future(uvicorn.Server(config).serve(sockets=[listener])))


async def _serve_uvicorn(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
    _run_uvicorn(listener, _plain_asgi, http="httptools")


async def _serve_fastapi(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def root() -> dict[str, str]:
        return {"message": "Hello, world!"}

    _run_uvicorn(listener, app, http="httptools")


async def _serve_starlette_websocket(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket, WebSocketDisconnect

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_bytes(await websocket.receive_bytes())
        except WebSocketDisconnect:
            pass

    app = Starlette(routes=[WebSocketRoute("/", echo)])
    _run_uvicorn(listener, app, http="httptools", ws_per_message_deflate=False, ws_ping_interval=None)


async def _serve_hypercorn(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.backlog = BACKLOG
    config.loglevel = "ERROR"
    config.keep_alive_timeout = _KEEP_ALIVE_S
    KEPT.append(listener)
    KEPT.append(asyncio.ensure_future(serve(_plain_asgi, config, shutdown_trigger=asyncio.Event().wait)))


async def _serve_sanic(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
    from sanic import HTTPResponse, Request, Sanic, text

    async def hello(_request: Request) -> HTTPResponse:
        return text("Hello, world!")

    app = Sanic("bench", configure_logging=False)
    app.config.KEEP_ALIVE_TIMEOUT = _KEEP_ALIVE_S
    app.add_route(hello, "/")
    server = await app.create_server(sock=listener, return_asyncio_server=True, access_log=False, backlog=BACKLOG)
    await server.startup()
    await server.start_serving()
    KEPT.append(server)


async def _serve_aiohttp(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
    from aiohttp import web

    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="Hello, world!")

    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.SockSite(runner, listener, backlog=BACKLOG)
    await site.start()
    KEPT.append(site)


async def _serve_websockets(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    KEPT.append(await serve(echo, sock=listener, compression=None, ping_interval=None, backlog=BACKLOG))


KINDS: dict[str, Serve] = {
    "uvicorn": _serve_uvicorn,
    "fastapi": _serve_fastapi,
    "starlette_websocket": _serve_starlette_websocket,
    "hypercorn": _serve_hypercorn,
    "sanic": _serve_sanic,
    "aiohttp": _serve_aiohttp,
    "websockets": _serve_websockets,
}
