"""What all servers of the suite share: how they listen, and where they stay."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable

BACKLOG = 4096
Serve = Callable[[socket.socket, ssl.SSLContext | None], Awaitable[None]]
"""Serves on a listening socket, with TLS if there is a context."""
KEPT: list[object] = []
"""Servers and tasks that live as long as the process: some loops close a server that nobody holds."""


def listen(kind: str, unix_path: str | None) -> tuple[socket.socket, int]:
    """Make the listening socket; gives it and its port (0 for a Unix socket)."""
    if kind == "datagram":
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        return sock, int(sock.getsockname()[1])
    if unix_path is not None:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(unix_path)
        listener.listen(BACKLOG)
        return listener, 0
    # asyncio sets TCP_NODELAY only where the protocol number is given; without it small answers wait for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    return listener, int(listener.getsockname()[1])


def server_context(certificate: str) -> ssl.SSLContext:
    """Make the server's context, with all that Python sets by default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
