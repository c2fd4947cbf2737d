"""The datagram transport: the class declaration, and what happens once in its life or seldom.

Receiving, sending and flow control are Java methods, bound with the first of them (DatagramMethods.java).
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from jvloop._base_transport import SocketTransport

if TYPE_CHECKING:
    from jvloop._loop import Loop

_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


def is_served(sock: Any) -> bool:
    """Whether a socket is what DatagramTransport is made for: UDP or Unix, and of no subclass with its own methods."""
    return type(sock) is socket.socket and sock.type == socket.SOCK_DGRAM and sock.family in _FAMILIES


class DatagramTransport(SocketTransport, asyncio.DatagramTransport):
    """A UDP or Unix datagram socket. The loop's thread only."""

    # _address: the one that all datagrams go to.
    __slots__ = ("_address",)

    if TYPE_CHECKING:
        _address: Any

        def _open(self, fd: int, family: int, connected: bool, has_address: bool, /) -> None: ...

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        address: Any = None,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(extra, loop)
        self._sock = sock
        self._address = address
        self._describe_socket(sock)
        # A peer without a name, the other end of a Unix socketpair, is '' and a peer nonetheless.
        connected = self._extra["peername"] is not None
        self._open(sock.fileno(), sock.family, connected, bool(address))
        self._start(protocol, waiter)

    def _abandon(self) -> None:
        sock, self._sock = self._sock, None
        self._detach()
        if sock is not None:
            sock.close()


# What Java calls, by name in the namespace (_bindings.py).


def check_datagram_address(transport: DatagramTransport, addr: object) -> None:
    """Raises ValueError unless a datagram goes where all of the transport's do."""
    if addr != transport._address:
        raise ValueError(f"Invalid address: must be None or {transport._address}")


def send_by_socket(transport: DatagramTransport, data: Any, addr: Any) -> bool:
    """Sends to an address that needs the resolver, or is none: ``socket.sendto`` raises what it raises.

    Returns False if the kernel does not take the datagram now.
    """
    assert transport._sock is not None
    try:
        transport._sock.sendto(data, addr)
    except (BlockingIOError, InterruptedError):
        return False
    return True


def sendto_by_names(transport: DatagramTransport, data: Any, addr: Any = None) -> None:
    """``sendto`` with keyword arguments, or with too few or too many."""
    transport.sendto(data, addr)


# What a TypeError about the arguments names.
sendto_by_names.__qualname__ = "DatagramTransport.sendto"

HELPERS = (check_datagram_address, send_by_socket, sendto_by_names)
