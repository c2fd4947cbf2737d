"""The demonstration's client: ``python -m suite.http_client check URL LOOP`` and ``... load URL``.

*check* uses httpx to see that the notes service of ``examples/fastapi_app.py`` answers rightly. *load* keeps some
connections busy and compares every answer with the right one; it parses with httptools, because httpx would need more
time for a request than the server does. It always runs on asyncio's own loop. Both print a line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import cast
from urllib.parse import urlsplit

NOTE = {"title": "a note", "tags": ["demo"], "id": 1}


class WrongAnswerError(Exception):
    """The server answered otherwise than it must."""


def expect(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise WrongAnswerError(f"{what}: expected {wanted!r}, got {got!r}")


def check(url: str, loop_name: str) -> dict[str, object]:
    """Go through the service once; leaves one note in it."""
    import httpx

    try:
        # With trust_env a proxy of the environment would be asked for 127.0.0.1.
        with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
            health = client.get("/health").json()
            expect("the loop is of", health["event_loop"].partition(".")[0], loop_name)
            refused = client.post("/notes", json={"title": ""})
            expect("a note without title", refused.status_code, 422)
            made = client.post("/notes", json={"title": NOTE["title"], "tags": NOTE["tags"]})
            expect("a new note", (made.status_code, made.json()), (201, NOTE))
            found = client.get("/notes/1")
            expect("reading it", (found.status_code, found.json()), (200, NOTE))
            expect("a missing note", client.get("/notes/2").status_code, 404)
            expect("a stream", client.get("/countdown/3").text, "3\n2\n1\ngo\n")
            expect("a missing page", client.get("/elsewhere").status_code, 404)
    except httpx.HTTPError as error:
        raise WrongAnswerError(f"no answer: {error!r}") from None
    return {"checks": 7, "event_loop": health["event_loop"]}


class Connection(asyncio.Protocol):
    """One keep-alive connection that asks for the note again and again."""

    def __init__(self, request: bytes, done: asyncio.Future[None]) -> None:
        import httptools

        self._request = request
        self._done = done
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status, answer, self._body = self._parser.get_status_code(), json.loads(self._body), b""
        if (status, answer) != (200, NOTE) and not self._done.done():
            self._done.set_exception(WrongAnswerError(f"under load: status {status}, {answer!r}"))
        self.answers += 1
        if not self._done.done():
            self.transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(WrongAnswerError(f"the server closed a connection: {exc}"))


def cpu_ns(pid: int) -> int:
    """Give the CPU time of all threads of another process: Linux numbers the clocks of processes so."""
    return time.clock_gettime_ns((~pid << 3) | 2)


async def load(url: str, connections: int, seconds: float, server_pid: int) -> dict[str, object]:
    """Ask on all connections at once for *seconds*; gives the rate and the server's CPU time per request."""
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or 80
    request = f"GET /notes/1 HTTP/1.1\r\nHost: {address.netloc}\r\nAccept: application/json\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    protocols: list[Connection] = []
    for _ in range(connections):
        _, protocol = await loop.create_connection(lambda: Connection(request, done), host, port)
        protocols.append(protocol)
    before, cpu, started = sum(each.answers for each in protocols), cpu_ns(server_pid), time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            await done
    except TimeoutError:
        pass
    took, cpu = time.perf_counter() - started, cpu_ns(server_pid) - cpu
    answers = sum(each.answers for each in protocols) - before
    for each in protocols:
        each.transport.abort()
    expect("any answer under load", answers > 0, True)
    return {"requests": answers, "requests_per_s": answers / took, "cpu_us": cpu / 1e3 / answers}


def main() -> int:
    parser = argparse.ArgumentParser(description="The demonstration's client.")
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check")
    checking.add_argument("url")
    checking.add_argument("loop")
    loading = commands.add_parser("load")
    loading.add_argument("url")
    loading.add_argument("--connections", type=int, default=32)
    loading.add_argument("--seconds", type=float, default=1.0)
    loading.add_argument("--server-pid", type=int, required=True)
    arguments = parser.parse_args()
    try:
        if arguments.command == "check":
            result = check(arguments.url, arguments.loop)
        else:
            result = asyncio.run(load(arguments.url, arguments.connections, arguments.seconds, arguments.server_pid))
    except (WrongAnswerError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
