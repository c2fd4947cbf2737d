"""The demonstration's client: ``python -m suite.http_client check URL LOOP`` and ``... load URL=PID...``.

*check* uses httpx to see that the notes service of ``examples/fastapi_app.py`` answers rightly. *load* keeps several
servers busy in turns, one at a time, and compares every answer with the right one; it parses with httptools, because
httpx would need more time for a request than the server does. It always runs on asyncio's own loop. Both print a line
of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
from typing import cast
from urllib.parse import urlsplit

from suite.runner import rotated

ANSWER_TIMEOUT_S = 10.0
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
    """One keep-alive connection that asks for the note again and again while its server's turn lasts."""

    def __init__(self, server: Server) -> None:
        import httptools

        self._server = server
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self) -> None:
        self.transport.write(self._server.request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status, answer, self._body = self._parser.get_status_code(), json.loads(self._body), b""
        if (status, answer) != (200, NOTE):
            self._server.fail(f"under load: status {status}, {answer!r}")
        elif self._server.note_answer():
            self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.fail(f"the server closed a connection: {exc}")


class Server:
    """One server with its open connections."""

    def __init__(self, url: str, pid: int) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._url, self._pid = url, pid
        self.request = f"GET /notes/1 HTTP/1.1\r\nHost: {address.netloc}\r\nAccept: application/json\r\n\r\n".encode()
        self.figures: list[dict[str, float]] = []
        self._connections: list[Connection] = []
        self._answers = 0
        self._outstanding = 0
        self._until = 0.0
        self._failure: WrongAnswerError | None = None
        self._all_answered: asyncio.Future[None] | None = None

    async def connect(self, connections: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: Connection(self), self._host, self._port)
            self._connections.append(connection)

    def note_answer(self) -> bool:
        """Count an answer; give whether to ask again."""
        self._answers += 1
        if time.perf_counter() < self._until:
            return True
        self._outstanding -= 1
        if not self._outstanding and self._all_answered and not self._all_answered.done():
            self._all_answered.set_result(None)
        return False

    def fail(self, reason: str) -> None:
        """End this turn, or the next."""
        self._failure = self._failure or WrongAnswerError(f"{self._url}: {reason}")
        if self._all_answered and not self._all_answered.done():
            self._all_answered.set_exception(self._failure)

    async def turn(self, seconds: float) -> None:
        """Ask on all connections at once for *seconds*, wait for the last answers, and add to *figures*.

        :raises WrongAnswerError: an answer is wrong, a connection ends, or answers stay out.
        """
        if self._failure:
            raise self._failure
        self._all_answered = asyncio.get_running_loop().create_future()
        self._answers, self._outstanding = 0, len(self._connections)
        cpu, started = cpu_ns(self._pid), time.perf_counter()
        self._until = started + seconds
        for each in self._connections:
            each.ask()
        try:
            async with asyncio.timeout(seconds + ANSWER_TIMEOUT_S):
                await self._all_answered
        except TimeoutError:
            raise WrongAnswerError(
                f"{self._url}: {self._outstanding} answers are out since {ANSWER_TIMEOUT_S:.0f} s"
            ) from None
        took, cpu = time.perf_counter() - started, cpu_ns(self._pid) - cpu
        self._all_answered = None
        self.figures.append({"requests_per_s": self._answers / took, "cpu_us": cpu / 1e3 / self._answers})

    def close(self) -> None:
        for each in self._connections:
            each.transport.abort()


def cpu_ns(pid: int) -> int:
    """Give the CPU time of all threads of another process: Linux numbers the clocks of processes so."""
    return time.clock_gettime_ns((~pid << 3) | 2)


async def load(
    addresses: list[tuple[str, int]], connections: int, warmup_s: float, turns: int, seconds: float
) -> list[list[dict[str, float]]]:
    """Keep the servers busy in turns of *seconds*; give the figures of each server's turns after the warm-up."""
    servers = [Server(url, pid) for url, pid in addresses]
    warming = math.ceil(warmup_s / seconds)
    try:
        for server in servers:
            await server.connect(connections)
        for turn in range(warming + turns):
            for server in rotated(servers, turn):
                await server.turn(seconds)
    finally:
        for server in servers:
            server.close()
    return [server.figures[warming:] for server in servers]


def address_of(text: str) -> tuple[str, int]:
    url, _, pid = text.rpartition("=")
    return url, int(pid)


def main() -> int:
    parser = argparse.ArgumentParser(description="The demonstration's client.")
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check")
    checking.add_argument("url")
    checking.add_argument("loop")
    loading = commands.add_parser("load")
    loading.add_argument("servers", nargs="+", type=address_of, metavar="URL=PID")
    loading.add_argument("--connections", type=int, default=32, help="to each server")
    loading.add_argument("--warmup", type=float, default=0.0, metavar="SECONDS", help="of each server, by turns too")
    loading.add_argument("--turns", type=int, default=1)
    loading.add_argument("--seconds", type=float, default=0.25, help="of one turn")
    arguments = parser.parse_args()
    result: object
    try:
        if arguments.command == "check":
            result = check(arguments.url, arguments.loop)
        else:
            extent = arguments.connections, arguments.warmup, arguments.turns, arguments.seconds
            result = asyncio.run(load(arguments.servers, *extent))
    except (WrongAnswerError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
