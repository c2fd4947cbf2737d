"""Free-threaded CPython: neither the import nor the engine brings the GIL back; one that was asked for is no harm."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .support import run_program

pytestmark = pytest.mark.skipif("t" not in sys.abiflags, reason="this CPython always has a GIL")

PROGRAM = """
    import asyncio, sys, threading
    import jvloop
    print(sys._is_gil_enabled())

    async def main():
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            writer.close()
        await asyncio.to_thread(int)

    threads = [threading.Thread(target=jvloop.run, args=(main(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sys._is_gil_enabled())
"""


def test_the_gil_stays_off(tmp_path: Path) -> None:
    """Warnings are errors in there: CPython warns when an extension module turns the GIL on."""
    assert run_program(PROGRAM, cwd=tmp_path).stdout == "False\nFalse\n"


def test_with_the_gil_turned_on(tmp_path: Path) -> None:
    """Objects keep the free-threaded build's layout."""
    assert run_program(PROGRAM, cwd=tmp_path, PYTHON_GIL="1").stdout == "True\nTrue\n"
