"""Errors of datagrams and exceptions of their protocols."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from .support import HOST, until
from .udp_support import DatagramRecorder, endpoint, udp_pair, udp_socket

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


def closed_port() -> tuple[str, int]:
    """The address of a UDP port that nobody has."""
    with udp_socket() as sock:
        address: tuple[str, int] = sock.getsockname()
        return address


def test_refused_datagram_is_an_error_and_no_end(run: Run) -> None:
    async def main() -> None:
        async with endpoint(remote_addr=closed_port()) as client:
            client.transport.sendto(b"x")
            (exc,) = await client.protocol.failed()
            assert isinstance(exc, ConnectionRefusedError)
            assert (exc.errno, exc.strerror) == (111, "Connection refused")
            assert not client.transport.is_closing()
            client.transport.sendto(b"y")
            await client.protocol.failed(2)
            assert client.protocol.lost_count == 0

    run(main())


@pytest.mark.uvloop_differs("reports it at its next poll")
def test_refusal_may_come_with_the_next_sendto(run: Run) -> None:
    async def main() -> None:
        async with endpoint(remote_addr=closed_port()) as client:
            client.transport.pause_reading()
            client.transport.sendto(b"x")
            assert client.protocol.errors == []
            client.transport.sendto(b"y")  # over the loopback the refusal is there at once
            assert [type(exc) for exc in client.protocol.errors] == [ConnectionRefusedError]

    run(main())


@pytest.mark.uvloop_differs("writes it to sys.unraisablehook", run=False)
def test_exception_in_error_received_reaches_the_caller_of_sendto(run: Run) -> None:
    class Failing(DatagramRecorder):
        def error_received(self, exc: Exception) -> None:
            super().error_received(exc)
            raise LookupError("mine")

    async def main() -> None:
        async with endpoint(Failing) as client:
            with pytest.raises(LookupError, match="mine"):
                client.transport.sendto(bytes(65508), (HOST, 9))
            assert not client.transport.is_closing()

    run(main())


@pytest.mark.uvloop_differs("writes it to sys.unraisablehook", run=False)
def test_exception_in_error_received_goes_to_the_exception_handler(run: Run, errors: list[dict[str, Any]]) -> None:
    class Failing(DatagramRecorder):
        def error_received(self, exc: Exception) -> None:
            super().error_received(exc)
            raise LookupError("mine")

    async def main() -> None:
        async with endpoint(Failing, remote_addr=closed_port()) as client:
            client.transport.sendto(b"x")
            await client.protocol.failed()
            await until(lambda: bool(errors))
            (context,) = errors
            assert isinstance(context["exception"], LookupError)
            assert not client.transport.is_closing()
            errors.clear()

    run(main())


@pytest.mark.uvloop_differs("writes it to sys.unraisablehook", run=False)
def test_exception_in_datagram_received_goes_to_the_exception_handler(run: Run, errors: list[dict[str, Any]]) -> None:
    class Failing(DatagramRecorder):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            if data == b"bad":
                raise LookupError("mine")

    async def main() -> None:
        async with udp_pair(DatagramRecorder, Failing) as (client, server):
            for data in (b"good", b"bad", b"good"):
                client.transport.sendto(data)
            assert await server.protocol.received(3) == [b"good", b"bad", b"good"]
            await until(lambda: bool(errors))
            (context,) = errors
            assert isinstance(context["exception"], LookupError)
            assert context["message"].startswith("Exception in callback ")
            assert not server.transport.is_closing()
            errors.clear()

    run(main())


@pytest.mark.uvloop_differs("goes on with the next datagram first", run=False)
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_interrupt_in_datagram_received_ends_the_run_and_loses_nothing(
    loop: Loop, run: Run, kind: type[BaseException]
) -> None:
    class Interrupting(DatagramRecorder):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            if data == b"stop":
                raise kind

    transport, protocol = run(loop.create_datagram_endpoint(Interrupting, local_addr=(HOST, 0)))
    with udp_socket() as peer:
        for data in (b"1", b"stop", b"2"):
            peer.sendto(data, transport.get_extra_info("sockname"))
        with pytest.raises(kind):
            loop.run_forever()
        assert [data for data, _ in protocol.datagrams] == [b"1", b"stop"]
        assert run(protocol.received(3)) == [b"1", b"stop", b"2"]
        transport.abort()
        run(protocol.lost)
