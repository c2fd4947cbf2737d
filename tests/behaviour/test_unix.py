"""Unix servers and connections."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .support import Recorder
from .test_servers import Accepting

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


@pytest.mark.parametrize("kind", [str, Path, os.fsencode], ids=["str", "Path", "bytes"])
def test_connect_and_talk(loop: Loop, run: Run, tmp_path: Path, kind: Callable[[Any], Any]) -> None:
    path = kind(tmp_path / "socket")

    async def main() -> None:
        accepting = Accepting()
        async with await loop.create_unix_server(accepting, path) as server:
            transport, client = await loop.create_unix_connection(Recorder, path)
            assert transport.get_extra_info("socket").family == socket.AF_UNIX
            protocol = await accepting.next()
            transport.write(b"ping")
            assert await protocol.received(4) == b"ping"
            protocol.transport.write(b"pong")
            assert await client.received(4) == b"pong"
            assert transport.get_extra_info("peername") == str(tmp_path / "socket")
            transport.close()
            await client.lost
            await protocol.lost
            assert server.is_serving()

    run(main())


@pytest.mark.uvloop_differs("cannot connect to an abstract address")
def test_abstract_addresses(loop: Loop, run: Run) -> None:
    path = f"\0jvloop-test-{uuid.uuid4()}"

    async def main() -> None:
        accepting = Accepting()
        async with await loop.create_unix_server(accepting, path):
            transport, client = await loop.create_unix_connection(Recorder, path)
            protocol = await accepting.next()
            transport.close()
            await client.lost
            await protocol.lost

    run(main())


def test_a_stale_socket_file_is_replaced(loop: Loop, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))

    async def main() -> None:
        async with await loop.create_unix_server(Recorder, path) as server:
            assert server.is_serving()

    run(main())


def test_any_other_file_is_not_replaced(loop: Loop, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")

    async def main() -> None:
        with pytest.raises(OSError, match="in use"):
            await loop.create_unix_server(Recorder, path)

    run(main())
    assert path.read_text() == "data"


@pytest.mark.skipif(sys.version_info < (3, 13), reason="cleanup_socket is new in 3.13")
@pytest.mark.uvloop_differs("has no cleanup_socket", run=False)
def test_the_socket_file_is_removed_on_close(loop: Loop, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        for cleanup in (True, False):
            server = await loop.create_unix_server(Recorder, path, cleanup_socket=cleanup)  # type: ignore[call-arg]
            assert path.exists()
            server.close()
            await server.wait_closed()
            assert path.exists() is not cleanup

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 13), reason="cleanup_socket is new in 3.13")
@pytest.mark.uvloop_differs("has no cleanup_socket", run=False)
def test_another_servers_socket_file_is_not_removed(loop: Loop, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        first = await loop.create_unix_server(Recorder, path)
        second = await loop.create_unix_server(Recorder, path)  # takes the name over
        first.close()
        assert path.exists()
        second.close()
        assert not path.exists()

    run(main())


def test_impossible_arguments(loop: Loop, run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(ValueError):
            await loop.create_unix_server(Recorder)
        with pytest.raises(ValueError):
            await loop.create_unix_connection(Recorder)
        with socket.socket() as sock:
            with pytest.raises(ValueError):
                await loop.create_unix_server(Recorder, sock=sock)
            with pytest.raises(ValueError):
                await loop.create_unix_connection(Recorder, sock=sock)
        with socket.socket(socket.AF_UNIX) as sock, pytest.raises(ValueError):
            await loop.create_unix_server(Recorder, tmp_path / "x", sock=sock)

    run(main())


def test_nobody_there(loop: Loop, run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            await loop.create_unix_connection(Recorder, str(tmp_path / "nothing"))
        with pytest.raises(FileNotFoundError):
            await loop.create_unix_server(Recorder, str(tmp_path / "no directory" / "socket"))

    run(main())


def test_streams(run: Run, loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "socket"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        async with await asyncio.start_unix_server(serve, path):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"hello\n")
            assert await reader.read() == b"HELLO\n"
            writer.close()
            await writer.wait_closed()

    run(main())
