"""Servers for the tests to talk to."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn

HOST = "127.0.0.1"
APPS = Path(__file__).parent / "apps"
UVICORN_LOOP = {"asyncio": "asyncio", "uvloop": "uvloop", "jvloop": "jvloop:new_event_loop"}
"""What a user passes to ``uvicorn --loop`` for each loop."""
UVICORN_HTTP = "httptools" if importlib.util.find_spec("httptools") else "h11"
"""httptools has no wheel for free-threaded CPython 3.13."""


class SignallingServer(uvicorn.Server):
    """uvicorn's server, that tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def uvicorn_serving(app: Any, **options: Any) -> AsyncIterator[str]:
    """The ASGI application served by uvicorn on the running loop, on a port of its own; gives its URL."""
    config = uvicorn.Config(app, http=UVICORN_HTTP, log_level="warning", log_config=None, **options)
    server = SignallingServer(config)
    with socket.create_server((HOST, 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        up = asyncio.create_task(server.up.wait())
        await asyncio.wait([serving, up], return_when=asyncio.FIRST_COMPLETED)
        try:
            assert up.done(), "uvicorn ended before it was up"
            scheme = "https" if config.is_ssl else "http"
            yield f"{scheme}://localhost:{listener.getsockname()[1]}"
        finally:
            up.cancel()
            server.should_exit = True
            await serving


class ServerProcess:
    """A server in a process of its own, whose output can be waited for."""

    def __init__(self, command: list[str], directory: Path) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.output = ""
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.output += line
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, pattern: str, timeout_seconds: float = 20.0) -> re.Match[str]:
        """Wait until the output has a match for ``pattern``; fails with the output if it ends or the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or re.search(pattern, self.output), timeout_seconds)
            match = re.search(pattern, self.output)
        assert match, f"no {pattern!r} in the output:\n{self.output}"
        return match

    def wait(self, timeout_seconds: float = 20.0) -> int:
        """Wait for the process to end by itself; return its exit code."""
        code = self.process.wait(timeout_seconds)
        self._reader.join()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def uvicorn_process(loop_name: str, app: str, *options: str) -> Iterator[tuple[ServerProcess, int]]:
    """``python -m uvicorn --loop ...`` in a process of its own; gives it and the port it listens on."""
    command = [sys.executable, "-m", "uvicorn", "--loop", UVICORN_LOOP[loop_name], "--http", UVICORN_HTTP]
    command += ["--host", HOST, "--port", "0", "--no-use-colors", *options, app]
    server = ServerProcess(command, APPS)
    try:
        yield server, int(server.wait_for(r"Uvicorn running on https?://[^:]+:(\d+)")[1])
    finally:
        server.close()
