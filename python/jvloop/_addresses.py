"""Socket addresses as the kernel writes them, decoded to what the socket module gives."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

_FAMILY = struct.Struct("=H")
_PORT = struct.Struct("!H")


def family_of(sockaddr: bytes) -> int:
    """The address family of a struct sockaddr, AF_UNIX for an empty one."""
    if len(sockaddr) < 2:
        return socket.AF_UNIX
    family: int = _FAMILY.unpack_from(sockaddr)[0]
    return family


def decode(sockaddr: bytes) -> Any:
    """A struct sockaddr as ``socket.getsockname()`` would give it; None if it is of an unknown family."""
    family = family_of(sockaddr)
    if family == socket.AF_INET:
        return socket.inet_ntop(family, sockaddr[4:8]), _PORT.unpack_from(sockaddr, 2)[0]
    if family == socket.AF_INET6:
        flow, scope = struct.unpack_from("!I", sockaddr, 4)[0], struct.unpack_from("=I", sockaddr, 24)[0]
        return socket.inet_ntop(family, sockaddr[8:24]), _PORT.unpack_from(sockaddr, 2)[0], flow, scope
    if family == socket.AF_UNIX:
        path = sockaddr[2:]
        if path[:1] == b"\0":
            return path
        return os.fsdecode(path.split(b"\0", 1)[0])
    return None
