"""Unix datagram sockets."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .udp_support import DatagramRecorder, Echo, endpoint

Run = Callable[..., Any]

pytestmark = pytest.mark.only_on("asyncio", "jvloop")  # uvloop has Unix datagrams for a socket that is handed in only

UNIX = {"family": socket.AF_UNIX}


def test_paths(run: Run, tmp_path: Path) -> None:
    server_path, client_path = str(tmp_path / "server"), str(tmp_path / "client")

    async def main() -> None:
        async with endpoint(Echo, local_addr=server_path, **UNIX) as server:
            assert server.address == server_path
            assert stat.S_ISSOCK(os.stat(server_path).st_mode)
            async with endpoint(local_addr=client_path, remote_addr=server_path, **UNIX) as client:
                client.transport.sendto(b"connected")
                await client.protocol.received(1)
                assert client.protocol.datagrams == [(b"connected", server_path)]
                assert server.protocol.datagrams == [(b"connected", client_path)]
                assert client.transport.get_extra_info("peername") == server_path
            async with endpoint(local_addr=client_path, **UNIX) as client:
                for address in (server_path, server_path.encode(), server_path):
                    client.transport.sendto(b"to a path", address)
                assert await client.protocol.received(3) == [b"to a path"] * 3

    run(main())


def test_path_that_is_not_ascii(run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "gr\xf6\xdfe")

    async def main() -> None:
        client_path = str(tmp_path / "client")
        async with (
            endpoint(Echo, local_addr=path, **UNIX) as server,
            endpoint(local_addr=client_path, **UNIX) as client,
        ):
            client.transport.sendto(b"x", path)
            await client.protocol.received(1)
            assert client.protocol.datagrams == [(b"x", server.address)]
            assert server.address == path

    run(main())


def test_abstract_names(run: Run) -> None:
    name = f"\0jvloop-{secrets.token_hex(8)}"

    async def main() -> None:
        async with endpoint(Echo, local_addr=f"{name}-server", **UNIX) as server:
            assert server.address == f"{name}-server".encode()
            async with endpoint(local_addr=f"{name}-client", **UNIX) as client:
                client.transport.sendto(b"str", f"{name}-server")
                client.transport.sendto(b"bytes", server.address)
                assert await client.protocol.received(2) == [b"str", b"bytes"]
                assert {addr for _, addr in server.protocol.datagrams} == {client.address}
                assert {addr for _, addr in client.protocol.datagrams} == {server.address}

    run(main())


def test_peer_without_a_name(run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "server")

    async def main() -> None:
        async with endpoint(local_addr=path, **UNIX) as server, endpoint(remote_addr=path, **UNIX) as client:
            client.transport.sendto(b"anonymous")
            await server.protocol.received(1)
            assert server.protocol.datagrams == [(b"anonymous", None)]

    run(main())


@pytest.mark.only_on("jvloop")  # asyncio ends the transport with a TypeError, as if there were no peer
def test_socketpair(run: Run) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        async with endpoint(sock=ours) as one, endpoint(sock=theirs) as two:
            one.transport.sendto(b"to two")
            two.transport.sendto(b"to one")
            assert await two.protocol.received(1) == [b"to two"]
            assert await one.protocol.received(1) == [b"to one"]

    run(main())


def test_missing_peer_is_an_error(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        async with endpoint(local_addr=str(tmp_path / "client"), **UNIX) as client:
            client.transport.sendto(b"x", str(tmp_path / "nobody"))
            (exc,) = await client.protocol.failed()
            assert isinstance(exc, FileNotFoundError)
            client.transport.sendto(b"x", str(tmp_path / ("n" * 200)))
            assert str((await client.protocol.failed(2))[1]) == "AF_UNIX path too long"
            assert not client.transport.is_closing()

    run(main())


def test_stale_socket_file_is_replaced(run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)

    async def main() -> None:
        async with endpoint(local_addr=path, **UNIX) as server, endpoint(remote_addr=path, **UNIX) as client:
            client.transport.sendto(b"x")
            assert await server.protocol.received(1) == [b"x"]

    run(main())


def test_addresses_must_be_strings(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match="string is expected"):
            await asyncio.get_running_loop().create_datagram_endpoint(DatagramRecorder, local_addr=("x", 1), **UNIX)

    run(main())


def test_large_datagrams(run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    data = secrets.token_bytes(150_000)

    async def main() -> None:
        async with endpoint(local_addr=path, **UNIX) as server, endpoint(remote_addr=path, **UNIX) as client:
            client.transport.sendto(data)
            assert await server.protocol.received(1) == [data]

    run(main())
