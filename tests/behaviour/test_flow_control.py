"""Water marks, and reading paused and resumed: over TCP, and over TLS on it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .support import Pair, Recorder, tcp_pair, turns, until
from .tls_support import tls_pair

Run = Callable[..., Any]
Connect = Callable[..., contextlib.AbstractAsyncContextManager[Pair]]


@pytest.fixture(params=["tcp", "tls"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Makes a connected pair: tcp_pair(), or tls_pair() with its certificates."""
    if request.param == "tcp":
        return tcp_pair
    return functools.partial(tls_pair, request.getfixturevalue("tls"))


def test_water_marks_pause_and_resume_the_protocol(run: Run, connect: Connect) -> None:
    async def main() -> None:
        async with connect() as pair:
            transport = pair.client.transport
            pair.server.transport.pause_reading()
            transport.set_write_buffer_limits(high=1000, low=100)
            assert transport.get_write_buffer_limits() == (100, 1000)
            written = 0
            while "pause" not in pair.client.events:
                transport.write(bytes(65536))
                written += 65536
                await asyncio.sleep(0)  # asyncio's TLS hands on to the transport below in turns
            await turns(10)
            assert "resume" not in pair.client.events
            assert transport.get_write_buffer_size() > 1000
            pair.server.transport.resume_reading()
            await pair.server.received(written)
            await until(lambda: "resume" in pair.client.events)
            assert transport.get_write_buffer_size() <= 100
            assert pair.client.events[:3] == ["made", "pause", "resume"]

    run(main())


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({"high": 4000}, (1000, 4000)),
        ({"low": 1000}, (1000, 4000)),
        ({"high": 0}, (0, 0)),
        ({"high": 10, "low": 10}, (10, 10)),
    ],
)
def test_write_buffer_limits(run: Run, connect: Connect, given: dict[str, int], limits: tuple[int, int]) -> None:
    async def main() -> None:
        async with connect() as pair:
            pair.client.transport.set_write_buffer_limits(**given)
            assert pair.client.transport.get_write_buffer_limits() == limits

    run(main())


def test_default_write_buffer_limits(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.set_write_buffer_limits(high=1)
            pair.client.transport.set_write_buffer_limits()
            assert pair.client.transport.get_write_buffer_limits() == (16384, 65536)

    run(main())


@pytest.mark.parametrize("given", [{"high": 1, "low": 2}, {"high": -1}, {"low": -1}])
def test_impossible_limits(run: Run, connect: Connect, given: dict[str, int]) -> None:
    async def main() -> None:
        async with connect() as pair:
            with pytest.raises(ValueError, match="must be >= low"):
                pair.client.transport.set_write_buffer_limits(**given)

    run(main())


def test_pause_and_resume_reading(run: Run, connect: Connect) -> None:
    async def main() -> None:
        async with connect() as pair:
            transport = pair.server.transport
            transport.pause_reading()
            transport.pause_reading()  # idempotent
            assert not transport.is_reading()
            pair.client.transport.write(b"held back")
            await turns(10)
            assert pair.server.data == b""
            transport.resume_reading()
            transport.resume_reading()
            assert transport.is_reading()
            assert await pair.server.received(9) == b"held back"

    run(main())


def test_pausing_inside_data_received(run: Run, connect: Connect) -> None:
    class Pausing(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()

    async def main() -> None:
        async with connect(Recorder, Pausing) as pair:
            pair.client.transport.write(b"one")
            await pair.server.received(3)
            pair.client.transport.write(b"two")
            await turns(10)
            assert pair.server.data == b"one"
            pair.server.transport.resume_reading()
            assert await pair.server.received(6) == b"onetwo"

    run(main())


def test_pausing_and_resuming_between_two_reads(run: Run, connect: Connect) -> None:
    class Pausing(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self.transport.resume_reading)

    async def main() -> None:
        async with connect(Recorder, Pausing) as pair:
            for count in range(1, 50):
                pair.client.transport.write(b".")
                assert await pair.server.received(count) == b"." * count

    run(main())


def watched_descriptors() -> set[int]:
    """What the process's epoll objects watch."""
    watched: set[int] = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the descriptor of the listing itself
            if os.readlink(f"/proc/self/fd/{name}") == "anon_inode:[eventpoll]":
                lines = Path(f"/proc/self/fdinfo/{name}").read_text().splitlines()
                watched.update(int(line.split()[1]) for line in lines if line.startswith("tfd:"))
    return watched


@pytest.mark.only_on("asyncio", "jvloop")
def test_a_paused_transport_is_not_watched(loop: asyncio.AbstractEventLoop, run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            transport = pair.server.transport
            fd = transport.get_extra_info("socket").fileno()
            assert fd in watched_descriptors()
            transport.pause_reading()
            pair.client.transport.write(b"held back")
            await until(lambda: fd not in watched_descriptors())
            transport.resume_reading()
            assert fd in watched_descriptors()
            assert await pair.server.received(9) == b"held back"

            transport.pause_reading()
            loop.stop()
            stopped.append(fd)
            await asyncio.sleep(0)
            assert fd not in watched_descriptors()

    stopped: list[int] = []
    task = loop.create_task(main())
    loop.run_forever()
    assert stopped and not set(stopped) & watched_descriptors()
    run(task)


@pytest.mark.parametrize(
    "connect",
    [
        pytest.param(
            "tcp", marks=pytest.mark.uvloop_differs("starts reading after connection_made() all the same", run=False)
        ),
        "tls",
    ],
    indirect=True,
)
def test_pausing_in_connection_made(run: Run, connect: Connect) -> None:
    class Pausing(Recorder):
        def connection_made(self, transport: Any) -> None:
            transport.pause_reading()
            super().connection_made(transport)

    async def main() -> None:
        async with connect(Recorder, Pausing) as pair:
            pair.client.transport.write(b"early")
            await turns(10)
            assert pair.server.data == b""
            pair.server.transport.resume_reading()
            assert await pair.server.received(5) == b"early"

    run(main())


def test_pausing_after_close_is_harmless(run: Run, connect: Connect) -> None:
    async def main() -> None:
        async with connect() as pair:
            pair.client.transport.close()
            pair.client.transport.pause_reading()
            pair.client.transport.resume_reading()
            assert await pair.client.lost is None

    run(main())


def test_closed_transport_reads_no_more(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.close()
            pair.client.transport.resume_reading()
            assert not pair.client.transport.is_reading()

    run(main())


def test_write_in_connection_made(run: Run, connect: Connect) -> None:
    class Greeting(Recorder):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.write(b"welcome")

    async def main() -> None:
        async with connect(Recorder, Greeting) as pair:
            assert await pair.client.received(7) == b"welcome"

    run(main())
