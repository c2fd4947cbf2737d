"""Answers to name look-ups that need no resolver: addresses and ports given as numbers."""

from __future__ import annotations

import socket
from socket import getaddrinfo, getnameinfo
from typing import Any

_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


def literal_addrinfo(host: Any, port: Any, family: int, kind: int, proto: int, flags: int) -> Any:
    """What ``socket.getaddrinfo`` gives for an address literal, or None if ``host`` or ``port`` is something else.

    The C library answers these from the text alone, so asking it blocks nothing; errors of a literal are its own.
    """
    if not isinstance(host, (str, bytes)) or not _is_number(port):
        return None
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not _is_address(text):
        return None
    return getaddrinfo(host, port, family, kind, proto, flags | socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)


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
