"""Each program of examples/ does what its first lines say, run as it is and with ``python -m jvloop``."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROGRAM_TIMEOUT_S = 30.0

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(params=["asyncio", "jvloop"])
def python(request: pytest.FixtureRequest) -> list[str]:
    """The start of a command line that runs a program on the loop of the test's name."""
    return [sys.executable, "-W", "always::ResourceWarning", *(["-m", "jvloop"] if request.param == "jvloop" else [])]


def run(command: list[str], stdin: str = "") -> str:
    """Run a program to its end and give its output; it must succeed and have nothing to complain about."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PROGRAM_TIMEOUT_S)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


class Program:
    """A running program, with a deadline on each line that is read from it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._unread = b""

    def line(self) -> str:
        assert self._process.stdout is not None
        deadline = time.monotonic() + PROGRAM_TIMEOUT_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                assert selector.select(deadline - time.monotonic()), "the program printed nothing in time"
                chunk = os.read(self._process.stdout.fileno(), 4096)
                assert chunk, "the program ended"
                self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def send(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def end_input(self) -> None:
        """Close its standard input; it must end by itself then."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(PROGRAM_TIMEOUT_S) == 0


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[Program]:
    """Run a program beside the test. In the end Ctrl-C must stop it, quietly, unless it has ended already."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        try:
            yield Program(process)
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(PROGRAM_TIMEOUT_S)
            assert process.stderr is not None
            assert (process.returncode, process.stderr.read().decode()) == (0, "")
        finally:
            process.kill()


@contextlib.contextmanager
def serving(command: list[str]) -> Iterator[tuple[Program, int]]:
    """Run a server program; gives it and the port that it says it listens on."""
    with running(command) as program:
        announced = re.fullmatch(r"listening on .*127\.0\.0\.1:(\d+)", program.line())
        assert announced
        yield program, int(announced[1])


def test_streams_client_server_counts_all_words(python: list[str]) -> None:
    output = run([*python, str(EXAMPLES / "streams_client_server.py"), "--clients", "5"])
    assert "5 clients, 65 words counted" in output  # 5 * 11, and 0+1+2+3+4 more
    assert ("jvloop" in output) == ("jvloop" in python)


def test_echo_protocol_echoes_more_than_the_buffers_hold(python: list[str]) -> None:
    sent = os.urandom(1 << 20) * 8
    with serving([*python, str(EXAMPLES / "echo_protocol.py"), "--port", "0"]) as (program, port):
        with socket.create_connection(("127.0.0.1", port), timeout=PROGRAM_TIMEOUT_S) as client:
            received = exchange(client, sent)
        assert received == sent
        assert program.line().endswith(f"{len(sent)} bytes, closed")


def exchange(client: socket.socket, data: bytes) -> bytes:
    """Send *data* while reading it back: with both ends' buffers full neither side could go on otherwise."""
    client.setblocking(False)
    received, to_send = bytearray(), memoryview(data)
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while len(received) < len(data):
            for _, events in selector.select(PROGRAM_TIMEOUT_S) or pytest.fail("the echo stopped"):
                if events & selectors.EVENT_WRITE:
                    to_send = to_send[client.send(to_send) :]
                    if not to_send:
                        selector.modify(client, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    chunk = client.recv(1 << 18)
                    assert chunk, "the server closed the connection"
                    received += chunk
    return bytes(received)


def test_echo_protocol_closes_a_silent_connection(python: list[str]) -> None:
    command = [*python, str(EXAMPLES / "echo_protocol.py"), "--port", "0", "--idle", "0.05"]
    with (
        serving(command) as (_, port),
        socket.create_connection(("127.0.0.1", port), timeout=PROGRAM_TIMEOUT_S) as client,
    ):
        assert client.recv(1) == b""


def test_fastapi_app_validates_stores_and_streams(python: list[str]) -> None:
    with (
        serving([*python, str(EXAMPLES / "fastapi_app.py"), "--port", "0"]) as (_, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PROGRAM_TIMEOUT_S, trust_env=False) as client,
    ):
        assert ("jvloop" in client.get("/health").json()["event_loop"]) == ("jvloop" in python)
        assert client.post("/notes", json={"title": ""}).status_code == 422
        made = client.post("/notes", json={"title": "hello", "tags": ["a"]})
        assert made.status_code == 201
        assert client.get(f"/notes/{made.json()['id']}").json() == {"title": "hello", "tags": ["a"], "id": 1}
        assert client.get("/notes/99").status_code == 404
        assert client.get("/countdown/2").text == "2\n1\ngo\n"


def test_aiohttp_client_follows_what_the_server_shortened(python: list[str]) -> None:
    with serving([*python, str(EXAMPLES / "aiohttp_server.py"), "--port", "0"]) as (_, port):
        service = f"http://127.0.0.1:{port}"
        output = run([*python, str(EXAMPLES / "aiohttp_client.py"), service, "--count", "30"])
        assert output.startswith("30 links made and followed")
        with httpx.Client(base_url=service, timeout=PROGRAM_TIMEOUT_S, trust_env=False) as client:
            assert client.post("/links", json={"target": "file:///etc/passwd"}).status_code == 400
            assert client.get("/missing").status_code == 404


def test_websocket_chat_shows_everyone_what_one_says(python: list[str]) -> None:
    chat = [*python, str(EXAMPLES / "websocket_chat.py")]
    with (
        serving([*chat, "serve", "--port", "0"]) as (_, port),
        running([*chat, "join", "ada", "--port", str(port)]) as ada,
        connect(f"ws://127.0.0.1:{port}", proxy=None) as grace,
    ):
        assert ada.line() == "* ada joined, 1 here"
        grace.send("grace")
        assert ada.line() == "* grace joined, 2 here"
        assert grace.recv(PROGRAM_TIMEOUT_S) == "* grace joined, 2 here"
        ada.send("hello, all\n")
        assert ada.line() == "ada: hello, all"
        assert grace.recv(PROGRAM_TIMEOUT_S) == "ada: hello, all"
        ada.end_input()
        assert grace.recv(PROGRAM_TIMEOUT_S) == "* ada left"


def test_embedded_loop_serves_both_its_own_input_and_clients() -> None:
    """The program makes its loop itself, so it runs as it is only."""
    command = [sys.executable, "-W", "always::ResourceWarning", str(EXAMPLES / "embedded_loop.py"), "--port", "0"]
    with serving(command) as (program, port):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PROGRAM_TIMEOUT_S) as client,
            client.makefile() as file,
        ):
            client.sendall(b"hello\n")
            assert file.readline() == "hello\n"
            program.send("anyone?\n")
            assert program.line() == "you said 'anyone?'; 1 clients are here"
        # asyncio 3.12.1 logs a traceback for a handler that is cancelled at the end.
        program.send("gone?\n")
        while program.line() != "you said 'gone?'; 0 clients are here":
            program.send("gone?\n")
        program.end_input()


def test_fastapi_app_runs_under_the_uvicorn_command(python: list[str]) -> None:
    """uvicorn's own command line takes jvloop's factory, as the example's first line says."""
    loop = "jvloop:new_event_loop" if "jvloop" in python else "asyncio"
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--loop", loop, "--port", "0"]
    process = subprocess.Popen([*command, "fastapi_app:app"], stderr=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stderr is not None
            address = next(m[1] for line in process.stderr if (m := re.search(r"running on (http://\S+)", line)))
            health = httpx.get(f"{address}/health", timeout=PROGRAM_TIMEOUT_S, trust_env=False)
            assert ("jvloop" in json.loads(health.text)["event_loop"]) == ("jvloop" in loop)
            process.send_signal(signal.SIGINT)
            remaining = process.stderr.read()
        finally:
            process.kill()
    assert "Application shutdown complete" in remaining


def test_examples_are_all_tested() -> None:
    """A new example comes with its test."""
    tested = set(re.findall(r"(\w+\.py)\"", Path(__file__).read_text()))
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested
