"""Tests of streams, servers, flow control and TLS once more, with system calls that do less and are interrupted.

What they promise must hold all the same: bytes arrive whole and in order, ends come once, buffers stay bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from jvloop import testing

from . import (
    test_flow_control,
    test_servers,
    test_streams,
    test_tls_data,
    test_tls_endings,
    test_tls_flow_control,
    test_tls_handshake,
    test_tls_start_tls,
    test_transport_endings,
    test_transport_writes,
    test_transports,
)

pytestmark = pytest.mark.only_on("jvloop")

MODULES = (
    *(test_streams, test_servers, test_flow_control, test_transports, test_transport_endings, test_transport_writes),
    *(test_tls_data, test_tls_endings, test_tls_flow_control, test_tls_handshake, test_tls_start_tls),
)
UNSUITABLE = {
    test_servers.test_a_burst_is_accepted_at_once: "an interrupted accept is left for the next iteration",
    test_tls_handshake.test_untrusted_authority: "closing with data unread resets the connection before the alert",
    test_tls_flow_control.test_writes_are_not_taken_without_end_by_a_slow_peer: "counts on the kernel to take much",
    test_transport_writes.test_64_mib_in_both_directions_to_slow_readers: "takes long in small pieces",
}


def suitable_tests() -> Iterator[tuple[str, Callable[..., None]]]:
    for module in MODULES:
        for name, function in vars(module).items():
            if name.startswith("test_") and function not in UNSUITABLE:
                yield f"{module.__name__.rpartition('.')[2]}_{name.removeprefix('test_')}", function


globals().update(suitable_tests())
connect = test_flow_control.connect  # a fixture of theirs


@pytest.fixture
def loop(loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.AbstractEventLoop]:
    with testing.faults(loop, short_reads=1500, short_writes=1000, eintr=0.1, seed=1):
        yield loop
