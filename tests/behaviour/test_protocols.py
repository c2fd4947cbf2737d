"""set_protocol() and BufferedProtocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from .support import Recorder, tcp_pair

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


def test_set_protocol_in_mid_stream(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write(b"one")
            await pair.server.received(3)
            second = Recorder()
            second.transport = pair.server.transport
            pair.server.transport.set_protocol(second)
            assert pair.server.transport.get_protocol() is second
            pair.client.transport.write(b"two")
            assert await second.received(3) == b"two"
            pair.client.transport.close()
            assert await second.lost is None
            assert pair.server.data == b"one"
            assert pair.server.lost_count == 0
            pair.server.lost.set_result(None)

    run(main())


def test_set_protocol_inside_data_received(run: Run) -> None:
    class Switching(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.next = Recorder()
            self.transport.set_protocol(self.next)

        def lose(self) -> None:
            self.lost.set_result(None)

    async def main() -> None:
        async with tcp_pair(Recorder, Switching) as pair:
            pair.client.transport.write(b"one")
            await pair.server.received(3)
            pair.client.transport.write(b"two")
            assert await pair.server.next.received(3) == b"two"
            pair.server.lose()
            pair.client.transport.close()
            await pair.server.next.lost

    run(main())


class Buffered(asyncio.BufferedProtocol):
    """Reads into one buffer of its own."""

    transport: asyncio.Transport

    def __init__(self, size: int = 4096) -> None:
        loop = asyncio.get_running_loop()
        self.made = loop.create_future()
        self.lost: asyncio.Future[BaseException | None] = loop.create_future()
        self.arrived = asyncio.Event()
        self.buffer = bytearray(size)
        self.data = bytearray()
        self.hints: list[int] = []
        self.sizes: list[int] = []
        self.got_eof = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.made.set_result(None)

    def get_buffer(self, sizehint: int) -> bytearray:
        self.hints.append(sizehint)
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.sizes.append(nbytes)
        self.data += self.buffer[:nbytes]
        self.arrived.set()

    def eof_received(self) -> None:
        self.got_eof = True

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)
        self.arrived.set()


def test_buffered_protocols_read_into_their_own_buffer(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair(Recorder, Buffered) as pair:
            payload = bytes(range(256)) * 400
            pair.client.transport.write(payload)
            while len(pair.server.data) < len(payload):
                pair.server.arrived.clear()
                await pair.server.arrived.wait()
            assert pair.server.data == payload
            assert all(0 < size <= 4096 for size in pair.server.sizes)
            assert len(pair.server.hints) >= len(pair.server.sizes)
            pair.client.transport.close()
            assert await pair.server.lost is None
            assert pair.server.got_eof

    run(main())


def test_a_buffer_may_be_a_memoryview(run: Run) -> None:
    class Viewing(Buffered):
        def get_buffer(self, sizehint: int) -> Any:
            return memoryview(self.buffer)[:3]

    async def main() -> None:
        async with tcp_pair(Recorder, Viewing) as pair:
            pair.client.transport.write(b"0123456789")
            while len(pair.server.data) < 10:
                pair.server.arrived.clear()
                await pair.server.arrived.wait()
            assert pair.server.data == b"0123456789"
            assert max(pair.server.sizes) == 3

    run(main())


VIEWS: dict[str, Callable[[bytearray], Any]] = {
    "object": lambda memory: memory,
    "view": memoryview,
    "middle": lambda memory: memoryview(memory)[2:-2],
    "items of four bytes": lambda memory: memoryview(memory).cast("I"),
    "two dimensions": lambda memory: memoryview(memory).cast("B", [2, 4]),
    "a subclass": lambda memory: Subclass(memory),
}


class Subclass(bytearray):
    pass


@pytest.mark.parametrize("kind", VIEWS)
def test_kinds_of_memory_to_receive_into(run: Run, kind: str) -> None:
    class Viewing(Buffered):
        view: Any = None

        def get_buffer(self, sizehint: int) -> Any:
            self.view = self.view or VIEWS[kind](self.buffer)
            return self.view

        def buffer_updated(self, nbytes: int) -> None:
            self.data += memoryview(self.view).cast("B")[:nbytes]
            self.arrived.set()

    async def main() -> None:
        async with tcp_pair(Recorder, lambda: Viewing(8)) as pair:
            pair.client.transport.write(b"0123456789abcdef")
            while len(pair.server.data) < 16:
                pair.server.arrived.clear()
                await pair.server.arrived.wait()
            assert pair.server.data == b"0123456789abcdef"

    run(main())


@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize("kind", VIEWS)
def test_kinds_of_memory_to_send(run: Run, kind: str, readonly: bool) -> None:
    async def main() -> None:
        async with tcp_pair(Recorder, Recorder) as pair:
            memory = bytearray(range(64)) * 64_000
            if kind in ("items of four bytes", "two dimensions"):
                # asyncio counts the items that the kernel took as bytes.
                memory = memory[:8]
            view = VIEWS[kind](memory)
            expected = bytes(memoryview(view).cast("B"))
            pair.client.transport.write(memoryview(view).toreadonly() if readonly else view)
            assert await pair.server.received(len(expected)) == expected

    run(main())


@pytest.mark.uvloop_differs("its own messages", run=False)
@pytest.mark.parametrize("kind", ["readonly", "strided"])
def test_views_that_nothing_can_be_received_into(run: Run, errors: list[dict[str, Any]], kind: str) -> None:
    class Bad(Buffered):
        def get_buffer(self, sizehint: int) -> Any:
            return memoryview(b"readonly") if kind == "readonly" else memoryview(self.buffer)[::2]

    async def main() -> None:
        async with tcp_pair(Recorder, Bad) as pair:
            pair.client.transport.write(b"x")
            assert isinstance(await pair.server.lost, TypeError | BufferError)
            (context,) = errors
            assert context["message"] == "Fatal read error on socket transport"
            errors.clear()

    run(main())


@pytest.mark.uvloop_differs("its own messages", run=False)
@pytest.mark.parametrize("kind", ["empty", "raises", "readonly", "update raises"])
def test_bad_buffers_are_fatal(run: Run, errors: list[dict[str, Any]], kind: str) -> None:
    class Bad(Buffered):
        def get_buffer(self, sizehint: int) -> Any:
            if kind == "raises":
                raise ZeroDivisionError
            return {"empty": bytearray(), "readonly": b"readonly"}.get(kind, self.buffer)

        def buffer_updated(self, nbytes: int) -> None:
            raise ZeroDivisionError

    expected = {
        "empty": (RuntimeError, "Fatal error: protocol.get_buffer() call failed."),
        "raises": (ZeroDivisionError, "Fatal error: protocol.get_buffer() call failed."),
        "readonly": (TypeError, "Fatal read error on socket transport"),
        "update raises": (ZeroDivisionError, "Fatal error: protocol.buffer_updated() call failed."),
    }
    error, message = expected[kind]

    async def main() -> None:
        async with tcp_pair(Recorder, Bad) as pair:
            pair.client.transport.write(b"x")
            assert isinstance(await pair.server.lost, error)
            (context,) = errors
            assert context["message"] == message
            assert isinstance(context["exception"], error)
            errors.clear()

    run(main())


def test_switching_between_kinds_of_protocol(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            buffered = Buffered()
            pair.server.transport.set_protocol(buffered)
            pair.client.transport.write(b"buffered")
            await buffered.arrived.wait()
            assert buffered.data == b"buffered"
            pair.server.transport.set_protocol(pair.server)
            pair.client.transport.write(b"plain")
            assert await pair.server.received(5) == b"plain"

    run(main())
