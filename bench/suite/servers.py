"""Server programs for the load generator, on any loop.

Run by the suite as ``python -m suite.servers --loop NAME --kind KIND``; once it listens it prints
``{"pid": ..., "tid": ..., "port": ...}``, and it ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from suite import child, loops, web_servers
from suite.listening import BACKLOG, KEPT, Serve, listen, server_context


class Echo(asyncio.Protocol):
    _write: Callable[[bytes], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast(asyncio.Transport, transport).write

    def data_received(self, data: bytes) -> None:
        self._write(data)


class BufferedEcho(asyncio.BufferedProtocol):
    _write: Callable[[memoryview], None]

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(256 * 1024))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = cast(Any, transport).write

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._write(self._buffer[:nbytes])


class DatagramEcho(asyncio.DatagramProtocol):
    _sendto: Callable[[bytes, Any], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sendto = cast(asyncio.DatagramTransport, transport).sendto

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._sendto(data, addr)


class Sink(asyncio.Protocol):
    def data_received(self, data: bytes) -> None:
        pass


class Source(asyncio.Protocol):
    """Writes as long as the transport takes it."""

    _block = bytes(256 * 1024)

    def __init__(self) -> None:
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._fill()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._fill()

    def _fill(self) -> None:
        # A socket that takes everything would keep this loop forever: it goes on in the next turn then.
        for _ in range(8):
            if self._paused or self._transport.is_closing():
                return
            self._transport.write(self._block)
        asyncio.get_running_loop().call_soon(self._fill)


def _release(listener: socket.socket) -> tuple[str, int]:
    """Close *listener* and give its address, for a loop to bind anew: rloop does not serve a socket handed to it."""
    host, port = listener.getsockname()
    listener.close()
    return host, port


def _protocol_server(factory: Callable[[], asyncio.BaseProtocol]) -> Serve:
    async def serve(listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        if listener.family == socket.AF_UNIX:
            server = await loop.create_unix_server(factory, sock=listener, backlog=BACKLOG)
        else:
            server = await loop.create_server(factory, *_release(listener), backlog=BACKLOG, ssl=tls)
        KEPT.append(server)

    return serve


class StartTls(asyncio.Protocol):
    """Echoes one plain byte, then starts TLS and echoes all that comes."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._upgrade: asyncio.Task[None] | None = None
        self._write: Callable[[bytes], None] | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._plain = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._write:
            self._write(data)
        elif self._upgrade:
            # What came with the end of the handshake is given to the protocol before start_tls() has returned.
            self._early.append(data)
        else:
            # The client speaks TLS as soon as it has the answer, which must not be read as plain bytes.
            self._plain.pause_reading()
            self._plain.write(data)
            self._upgrade = asyncio.get_running_loop().create_task(self._start_tls())

    async def _start_tls(self) -> None:
        loop = asyncio.get_running_loop()
        encrypted = await loop.start_tls(self._plain, self, self._tls, server_side=True)
        assert encrypted is not None
        self._write = encrypted.write
        for data in self._early:
            self._write(data)


async def _serve_start_tls(listener: socket.socket, tls: ssl.SSLContext | None) -> None:
    assert tls is not None
    await _protocol_server(lambda: StartTls(tls))(listener, None)


async def _serve_streams(listener: socket.socket, tls: ssl.SSLContext | None) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(256 * 1024):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    # StreamReader's own limit stops reading at twice this; the default would split 100 KiB messages.
    host, port = _release(listener)
    KEPT.append(await asyncio.start_server(echo, host, port, backlog=BACKLOG, limit=256 * 1024, ssl=tls))


async def _serve_stream_sink(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(64 * 1024):
                pass
        except ConnectionError:
            pass
        finally:
            writer.close()

    host, port = _release(listener)
    KEPT.append(await asyncio.start_server(receive, host, port, backlog=BACKLOG))


async def _serve_sock(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    clients: set[asyncio.Task[None]] = set()

    async def echo(client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client:
            try:
                while data := await loop.sock_recv(client, 256 * 1024):
                    await loop.sock_sendall(client, data)
            except ConnectionError:
                pass

    async def accept() -> None:
        while True:
            client, _ = await loop.sock_accept(listener)
            task = loop.create_task(echo(client))
            clients.add(task)
            task.add_done_callback(clients.discard)

    listener.setblocking(False)
    KEPT.append(loop.create_task(accept()))


class FileSource(asyncio.Protocol):
    """Sends a file again and again."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sending = asyncio.get_running_loop().create_task(self._send(cast(asyncio.Transport, transport)))

    async def _send(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while not transport.is_closing():
                await loop.sendfile(transport, self._file, fallback=False)


def _file_server(size_bytes: int) -> Serve:
    async def serve(listener: socket.socket, _tls: ssl.SSLContext | None) -> None:
        file = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the server)
        file.write(bytes(size_bytes))
        file.flush()
        probe, other = socket.socketpair()
        with probe, other:
            probe.setblocking(False)
            # A loop without sendfile says so now.
            await asyncio.get_running_loop().sock_sendfile(probe, file, 0, 1)
        await _protocol_server(lambda: FileSource(file))(listener, None)

    return serve


async def _serve_datagrams(sock: socket.socket, _tls: ssl.SSLContext | None) -> None:
    address = _release(sock)
    KEPT.append(await asyncio.get_running_loop().create_datagram_endpoint(DatagramEcho, local_addr=address))


KINDS: dict[str, Serve] = {
    "protocol": _protocol_server(Echo),
    "buffered": _protocol_server(BufferedEcho),
    "sink": _protocol_server(Sink),
    "source": _protocol_server(Source),
    "file": _file_server(10 * 2**20),
    "small_file": _file_server(64 * 2**10),
    "start_tls": _serve_start_tls,
    "streams": _serve_streams,
    "stream_sink": _serve_stream_sink,
    "datagram": _serve_datagrams,
    "sock": _serve_sock,
    **web_servers.KINDS,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="A server program on one loop; ends when standard input closes.")
    parser.add_argument("--loop", required=True, choices=loops.NAMES)
    parser.add_argument("--kind", required=True, choices=KINDS)
    parser.add_argument("--unix", metavar="PATH", help="listen on a Unix socket instead of TCP")
    parser.add_argument("--certificate", metavar="FILE", help="serve TLS with this certificate and key (PEM)")
    parser.add_argument("--cpu", type=int, default=None, help="core for the loop's thread")
    arguments = parser.parse_args()
    child.end_with_parent()
    child.raise_descriptor_limit()
    child.settle_malloc()
    loop = loops.new_event_loop(arguments.loop)
    asyncio.set_event_loop(loop)
    child.pin_this_thread(arguments.cpu)
    listener, port = listen(arguments.kind, arguments.unix)
    tls = server_context(arguments.certificate) if arguments.certificate else None

    async def run() -> None:
        await KINDS[arguments.kind](listener, tls)
        child.say(pid=os.getpid(), tid=threading.get_native_id(), port=port)
        await asyncio.Event().wait()

    loop.run_until_complete(run())


if __name__ == "__main__":
    main()
