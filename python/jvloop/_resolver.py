"""Answers to name look-ups that need no resolver: addresses and ports given as numbers."""

from __future__ import annotations

import socket
from socket import getaddrinfo, getnameinfo, inet_ntop, inet_pton
from sys import audit
from typing import Any

_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
_HARMLESS_FLAGS = socket.AI_PASSIVE | socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
_MAX_PORT = 0xFFFF
_INET, _INET6 = int(socket.AF_INET), int(socket.AF_INET6)
_Shape = tuple[tuple[Any, ...], ...]

_shapes: dict[tuple[Any, ...], _Shape] = {}
"""What the C library answered to a kind of question about a literal, without the address. All literals of a family get
the same answer but for that, and to ask is most of the work: 5.9 us a look-up, and 1.0 with the answer known."""


def literal_addrinfo(host: Any, port: Any, family: int, kind: int, proto: int, flags: int) -> Any:
    """What ``socket.getaddrinfo`` gives for an address literal, or None if ``host`` or ``port`` is something else.

    The C library answers these from the text alone, so asking it blocks nothing; errors of a literal are its own.
    """
    sockaddr = _plain_sockaddr(host, port)
    if sockaddr is None:
        return _ask(host, port, family, kind, proto, flags) if _is_literal(host, port) else None
    question = (len(sockaddr), family, kind, proto, flags, port is None)
    shape = _shapes.get(question)
    if shape is None:
        infos = _ask(host, port, family, kind, proto, flags)
        if not flags & ~_HARMLESS_FLAGS and all(info[4] == sockaddr for info in infos):
            _shapes[question] = tuple(info[:4] for info in infos)
        return infos
    audit("socket.getaddrinfo", host, port, family, kind, proto)
    return [(*entry, sockaddr) for entry in shape]


def _plain_sockaddr(host: Any, port: Any) -> tuple[Any, ...] | None:
    """The socket address of a literal without a scope and of a port that is an int, as most are."""
    if type(host) is not str or not (port is None or (type(port) is int and 0 <= port <= _MAX_PORT)):
        return None
    try:
        if ":" in host:
            # An IPv6 address can be written in several ways.
            return inet_ntop(_INET6, inet_pton(_INET6, host)), port or 0, 0, 0
        inet_pton(_INET, host)
    except (OSError, ValueError):
        return None
    return host, port or 0


def _ask(host: Any, port: Any, family: int, kind: int, proto: int, flags: int) -> list[Any]:
    return getaddrinfo(host, port, family, kind, proto, flags | socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)


def _is_literal(host: Any, port: Any) -> bool:
    if not isinstance(host, (str, bytes)) or not _is_number(port):
        return False
    return _is_address(host.decode("ascii", "replace") if isinstance(host, bytes) else host)


def _is_number(port: Any) -> bool:
    return port is None or isinstance(port, int) or (isinstance(port, (str, bytes)) and port.isdigit())


def _is_address(text: str) -> bool:
    bare = text.partition("%")[0]
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, bare)
        except (OSError, ValueError):
            continue
        return True
    return False


def literal_nameinfo(sockaddr: Any, flags: int) -> tuple[str, str] | None:
    """What ``socket.getnameinfo`` gives where only numbers are asked for, else None."""
    if flags & _NUMERIC != _NUMERIC or not isinstance(sockaddr, tuple) or not sockaddr:
        return None
    if not isinstance(sockaddr[0], str) or not _is_address(sockaddr[0]):
        return None
    return getnameinfo(sockaddr, flags)
