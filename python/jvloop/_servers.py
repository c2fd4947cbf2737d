"""asyncio.Server's bookkeeping of its connections, whose signature 3.13 changed."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

_TAKES_TRANSPORT = len(inspect.signature(asyncio.Server._attach).parameters) > 1  # type: ignore[attr-defined]


def attach(server: Any, transport: Any) -> None:
    """Counts a connection as one of the server's."""
    transport._server = server
    if _TAKES_TRANSPORT:
        server._attach(transport)
    else:
        server._attach()


def detach(transport: Any) -> None:
    """Ends what attach() began, if it did."""
    server, transport._server = transport._server, None
    if server is None:
        return
    if _TAKES_TRANSPORT:
        server._detach(transport)
    else:
        server._detach()
