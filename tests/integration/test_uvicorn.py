"""uvicorn (with httptools where that installs) serving a FastAPI application, to httpx and websockets clients."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import signal
import socket
from typing import Any

import httpx
import pytest
import websockets
from websockets.asyncio.client import connect

from .apps.api import app
from .conftest import Run, Tls
from .support import HOST, uvicorn_process, uvicorn_serving


async def logged(client: httpx.AsyncClient, entry: str) -> None:
    """Wait until the application has noted this."""
    while True:
        if entry in (await client.get("/log")).json():
            return


def test_fastapi_routes(run: Run, backend: Any) -> None:
    async def main() -> None:
        async with uvicorn_serving(app) as url, httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/loop")).json() == backend.name
            item = {"name": "bolt", "price": 0.5}
            assert (await client.post("/items/7", json=item)).json() == {"number": 7, "item": item}
            assert (await client.post("/items/7", json={"name": "bolt"})).status_code == 422
            assert (await client.post("/items/-1", json=item)).status_code == 404
            assert (await client.get("/threads")).json() is True
            await client.post("/background")
            await logged(client, "worked in the background")
        assert app.state.log[-1] == "stopped"

    run(main())


def test_two_hundred_requests_at_a_time(run: Run) -> None:
    async def main() -> None:
        limits = httpx.Limits(max_connections=50)
        async with uvicorn_serving(app) as url, httpx.AsyncClient(base_url=url, limits=limits) as client:

            async def ask(number: int) -> int:
                response = await client.post(f"/items/{number}", json={"name": "n", "price": number})
                return int(response.json()["number"])

            assert await asyncio.gather(*map(ask, range(200))) == list(range(200))

    run(main())


def test_streamed_response_and_upload(run: Run) -> None:
    async def main() -> None:
        async with uvicorn_serving(app) as url, httpx.AsyncClient(base_url=url) as client:
            async with client.stream("GET", "/stream/5000") as response:
                lines = [int(line) async for line in response.aiter_lines()]
            assert lines == list(range(5000))

            async def body() -> Any:
                for number in range(100):
                    yield bytes([number]) * 30_000

            whole = b"".join([bytes([number]) * 30_000 for number in range(100)])
            response = await client.post("/digest", content=body())
            assert response.json() == {"sha": hashlib.sha256(whole).hexdigest(), "size": len(whole)}

    run(main())


def test_client_that_leaves_an_endless_stream_ends_it(run: Run) -> None:
    async def main() -> None:
        async with uvicorn_serving(app) as url, httpx.AsyncClient(base_url=url) as client:
            async with client.stream("GET", "/endless") as response:
                async for _ in response.aiter_bytes(10_000):
                    break
            await logged(client, "endless stream closed")

    run(main())


def test_websocket_endpoint(run: Run) -> None:
    async def main() -> None:
        async with uvicorn_serving(app) as url:
            async with connect(url.replace("http", "ws") + "/ws") as socket:
                for number in range(300):
                    await socket.send(f"message {number}")
                for number in range(300):
                    assert await socket.recv() == f"message {number}"[::-1]
            async with httpx.AsyncClient(base_url=url) as client:
                await logged(client, "websocket closed with 1000")

    run(main())


def test_websocket_client_is_told_of_the_shutdown(run: Run) -> None:
    async def main() -> None:
        async with uvicorn_serving(app) as url:
            socket = await connect(url.replace("http", "ws") + "/ws")
            await socket.send("ab")
            assert await socket.recv() == "ba"
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        await socket.close()

    run(main())


def test_tls(run: Run, tls: Tls) -> None:
    async def main() -> None:
        options = {"ssl_certfile": str(tls.cert_file)}
        async with uvicorn_serving(app, **options) as url, httpx.AsyncClient(base_url=url, verify=tls.client) as client:
            body = bytes(range(256)) * 8192
            assert (await client.post("/digest", content=body)).json()["sha"] == hashlib.sha256(body).hexdigest()

    run(main())


def test_pipelined_requests_are_answered_in_order(run: Run) -> None:
    async def main() -> None:
        async with uvicorn_serving(app) as url:
            reader, writer = await asyncio.open_connection(HOST, int(url.rsplit(":", 1)[1]))
            for number in range(20):
                writer.write(b"GET /stream/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
            for number in range(20):
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200"), head
                got = b""
                while size := int(await reader.readline(), 16):
                    got += await reader.readexactly(size)
                    await reader.readline()
                await reader.readline()
                assert got.count(b"\n") == number
            writer.close()
            await writer.wait_closed()

    run(main())


def test_garbage_is_answered_with_400(run: Run) -> None:
    async def main() -> None:
        async with uvicorn_serving(app) as url:
            reader, writer = await asyncio.open_connection(HOST, int(url.rsplit(":", 1)[1]))
            writer.write(b"this is not HTTP\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 400")
            writer.close()
            await writer.wait_closed()

    run(main())


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_process_finishes_the_request_in_flight_when_told_to_stop(backend: Any, stop_signal: signal.Signals) -> None:
    with uvicorn_process(backend.name, "api:app") as (server, port):
        client = http.client.HTTPConnection(HOST, port, timeout=20)
        client.request("GET", "/loop")
        assert json.loads(client.getresponse().read()) == backend.name
        client.close()

        body = b"0123456789" * 1000
        with socket.create_connection((HOST, port), timeout=20) as sock:
            sock.sendall(b"POST /digest HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10000\r\n\r\n")
            assert sock.recv(1000).startswith(b"HTTP/1.1 100")  # the handler runs now, and waits for the body
            server.process.send_signal(stop_signal)
            server.wait_for("Waiting for connections to close")
            sock.sendall(body)
            answer = b""
            while piece := sock.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 200")
        assert hashlib.sha256(body).hexdigest().encode() in answer
        exit_code = server.wait()
    assert "lifespan ended" in server.output
    assert "Finished server process" in server.output
    assert "Traceback" not in server.output
    assert exit_code in (0, -stop_signal), server.output


def test_idle_process_stops_at_once(backend: Any) -> None:
    with uvicorn_process(backend.name, "api:app") as (server, _):
        server.process.send_signal(signal.SIGTERM)
        exit_code = server.wait()
    assert "Application shutdown complete." in server.output
    assert exit_code in (0, -signal.SIGTERM), server.output


def test_worker_processes(backend: Any) -> None:
    with uvicorn_process(backend.name, "api:app", "--workers", "2") as (server, port):
        server.wait_for(r"(?s)Application startup complete\..*Application startup complete\.")
        for _ in range(10):
            client = http.client.HTTPConnection(HOST, port, timeout=20)
            client.request("GET", "/loop")
            assert json.loads(client.getresponse().read()) == backend.name
            client.close()
        server.process.send_signal(signal.SIGTERM)
        server.wait()
    assert server.output.count("Application shutdown complete.") == 2
