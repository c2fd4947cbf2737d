"""Exceptions out of protocol methods: reported in the words of asyncio, and fatal where they are there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder, tcp_pair, tcp_socketpair, turns, until

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


MESSAGES = {
    "data_received": "Fatal error: protocol.data_received() call failed.",
    "eof_received": "Fatal error: protocol.eof_received() call failed.",
}


@pytest.mark.uvloop_differs("its own messages", run=False)
@pytest.mark.parametrize("method", MESSAGES)
def test_an_exception_in_a_read_callback_is_fatal(run: Run, errors: list[dict[str, Any]], method: str) -> None:
    class Failing(Recorder):
        def data_received(self, data: bytes) -> None:
            if method == "data_received":
                raise ZeroDivisionError

        def eof_received(self) -> bool:
            raise ZeroDivisionError

    async def main() -> None:
        async with tcp_pair(Recorder, Failing) as pair:
            pair.client.transport.write(b"x")
            pair.client.transport.write_eof()
            assert isinstance(await pair.server.lost, ZeroDivisionError)
            (context,) = errors
            assert context["message"] == MESSAGES[method]
            assert isinstance(context["exception"], ZeroDivisionError)
            assert context["transport"] is pair.server.transport
            assert context["protocol"] is pair.server
            errors.clear()

    run(main())


@pytest.mark.uvloop_differs("its own messages", run=False)
@pytest.mark.parametrize("method", ["pause_writing", "resume_writing"])
def test_an_exception_in_flow_control_is_reported(run: Run, errors: list[dict[str, Any]], method: str) -> None:
    class Failing(Recorder):
        def pause_writing(self) -> None:
            super().pause_writing()
            if method == "pause_writing":
                raise ZeroDivisionError

        def resume_writing(self) -> None:
            super().resume_writing()
            if method == "resume_writing":
                raise ZeroDivisionError

    async def main() -> None:
        size = 8 << 20
        async with tcp_pair(Failing, Recorder) as pair:
            pair.client.transport.write(bytes(size))
            await pair.server.received(size)
            await until(lambda: "resume" in pair.client.events)
            (context,) = errors
            assert context["message"] == f"protocol.{method}() failed"
            assert isinstance(context["exception"], ZeroDivisionError)
            assert context["transport"] is pair.client.transport
            assert context["protocol"] is pair.client
            errors.clear()

    run(main())


@pytest.mark.uvloop_differs("closes the connection instead", run=False)
def test_an_exception_in_connection_made_is_reported(run: Run, errors: list[dict[str, Any]]) -> None:
    class Failing(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            raise ZeroDivisionError

    async def main() -> None:
        async with tcp_pair(Recorder, Failing) as pair:
            await turns()
            (context,) = errors
            assert "connection_made" in context["message"]
            assert isinstance(context["exception"], ZeroDivisionError)
            errors.clear()
            pair.client.transport.write(b"it is still there")
            await pair.server.received(17)

    run(main())


def test_an_exception_in_connection_lost_is_reported(run: Run, errors: list[dict[str, Any]]) -> None:
    class Failing(Recorder):
        def connection_lost(self, exc: BaseException | None) -> None:
            super().connection_lost(exc)
            raise ZeroDivisionError

    async def main() -> None:
        async with tcp_pair(Recorder, Failing) as pair:
            pair.client.transport.close()
            await pair.server.lost
            await turns()
            (context,) = errors
            assert isinstance(context["exception"], ZeroDivisionError)
            errors.clear()
            assert pair.server.lost_count == 1
        await turns()

    run(main())


@pytest.mark.uvloop_differs("swallows them", run=False)
@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_interrupts_out_of_a_protocol_leave_the_loop(loop: Loop, raised: type[BaseException]) -> None:
    class Failing(Recorder):
        def data_received(self, data: bytes) -> None:
            raise raised

    ours, theirs = tcp_socketpair()
    transport, protocol = loop.run_until_complete(loop.create_connection(Failing, sock=ours))
    with theirs:
        theirs.send(b"x")
        with pytest.raises(raised):
            loop.run_until_complete(protocol.lost)
        transport.abort()
        loop.run_until_complete(protocol.lost)
