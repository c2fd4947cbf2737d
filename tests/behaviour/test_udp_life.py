"""The life of a datagram transport: errors, exceptions, contexts, pausing, closing, and what is left after."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import socket
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from .support import HOST, turns, until
from .udp_support import DatagramRecorder, endpoint, udp_pair, udp_socket

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


def closed_port() -> tuple[str, int]:
    """The address of a UDP port that nobody has."""
    with udp_socket() as sock:
        address: tuple[str, int] = sock.getsockname()
        return address


# ---- errors ----


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


# ---- contexts ----


@pytest.mark.uvloop_differs("runs them all in one context")
def test_callbacks_run_in_contexts_of_their_own(run: Run) -> None:
    class Remembering(DatagramRecorder):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[str] = []

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            VARIABLE.set("made")

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.seen.append(VARIABLE.get())
            VARIABLE.set(data.decode())
            super().datagram_received(data, addr)

    async def main() -> None:
        VARIABLE.set("creator")
        async with endpoint(Remembering) as server:
            VARIABLE.set("later")
            with udp_socket() as peer:
                for number in range(2):
                    peer.sendto(b"%d" % number, server.address)
                    await server.protocol.received(number + 1)
            assert server.protocol.seen == ["creator", "0"]
            assert VARIABLE.get() == "later"

    run(main())


# ---- pausing ----


@pytest.mark.uvloop_differs("has no pause_reading() for datagrams")
def test_pause_and_resume_reading(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            assert server.transport.is_reading()
            server.transport.pause_reading()
            server.transport.pause_reading()
            assert not server.transport.is_reading()
            with udp_socket() as peer:
                peer.sendto(b"held back", server.address)
                await turns(5)
                assert server.protocol.datagrams == []
                server.transport.resume_reading()
                server.transport.resume_reading()
                assert server.transport.is_reading()
                assert await server.protocol.received(1) == [b"held back"]

    run(main())


@pytest.mark.uvloop_differs("has no pause_reading() for datagrams")
def test_pausing_in_datagram_received(run: Run) -> None:
    class Pausing(DatagramRecorder):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            self.transport.pause_reading()  # type: ignore[attr-defined]

    async def main() -> None:
        async with endpoint(Pausing) as server:
            with udp_socket() as peer:
                for number in range(3):
                    peer.sendto(b"%d" % number, server.address)
                for number in range(3):
                    expected = [b"%d" % past for past in range(number + 1)]
                    assert await server.protocol.received(number + 1) == expected
                    await turns(5)
                    assert len(server.protocol.datagrams) == number + 1
                    server.transport.resume_reading()

    run(main())


def test_a_flood_does_not_starve_the_others(run: Run) -> None:
    order: list[str] = []

    class Noting(DatagramRecorder):
        name = ""

        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            order.append(self.name)

    async def main() -> None:
        async with endpoint(Noting) as flooded, endpoint(Noting) as quiet:
            flooded.protocol.name, quiet.protocol.name = "flooded", "quiet"
            with udp_socket() as peer:
                for _ in range(60):
                    peer.sendto(b"flood", flooded.address)
                peer.sendto(b"one", quiet.address)
                asyncio.get_running_loop().call_soon(order.append, "callback")
                await flooded.protocol.received(60)
                await quiet.protocol.received(1)
            assert order.index("quiet") < 40
            assert order.index("callback") < 40

    run(main())


class Handover(DatagramRecorder):
    """Hands each datagram to a future that somebody made for it; fails if nobody has."""

    next: asyncio.Future[bytes] | None = None

    def datagram_received(self, data: bytes, addr: Any) -> None:
        super().datagram_received(data, addr)
        assert self.next is not None
        self.next.set_result(data)

    async def read(self) -> bytes:
        self.next = asyncio.get_running_loop().create_future()
        return await self.next


@pytest.mark.uvloop_differs("delivers datagrams before it runs the callbacks of those before them", run=False)
def test_datagrams_and_callbacks_take_turns(run: Run) -> None:
    async def main() -> None:
        async with endpoint(Handover) as server:
            with udp_socket() as peer:
                for number in range(5):
                    peer.sendto(b"%d" % number, server.address)
                for number in range(5):
                    assert await server.protocol.read() == b"%d" % number

    run(main())


@pytest.mark.uvloop_differs("delivers datagrams before it runs callbacks that are ready", run=False)
def test_a_datagram_comes_after_the_callbacks_that_are_ready(loop: Loop, run: Run) -> None:
    transport, protocol = run(loop.create_datagram_endpoint(Handover, local_addr=(HOST, 0)))
    with udp_socket() as peer:
        peer.sendto(b"x", transport.get_extra_info("sockname"))
        assert run(protocol.read()) == b"x"
        peer.sendto(b"y", transport.get_extra_info("sockname"))
        assert run(protocol.read()) == b"y"
    transport.close()
    run(protocol.lost)


def test_a_busy_loop_does_not_starve_datagrams(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            with udp_socket() as peer:
                for number in range(30):
                    peer.sendto(b"%d" % number, server.address)
                busy = True

                def again() -> None:
                    if busy:
                        loop.call_soon(again)

                again()
                again()
                assert await server.protocol.received(30) == [b"%d" % number for number in range(30)]
                busy = False
                await turns()

    run(main())


def test_set_protocol(run: Run) -> None:
    class Switching(DatagramRecorder):
        other: DatagramRecorder

        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            self.transport.set_protocol(self.other)

    async def main() -> None:
        async with endpoint(Switching) as server:
            server.protocol.other = other = DatagramRecorder()
            assert server.transport.get_protocol() is server.protocol
            with udp_socket() as peer:
                for number in range(3):
                    peer.sendto(b"%d" % number, server.address)
                assert await other.received(2) == [b"1", b"2"]
            assert [data for data, _ in server.protocol.datagrams] == [b"0"]
            assert server.transport.get_protocol() is other
            server.transport.set_protocol(server.protocol)

    run(main())


# ---- the end ----


def test_close(run: Run) -> None:
    async def main() -> None:
        async with udp_pair() as (client, server):
            sock = client.transport.get_extra_info("socket")
            assert not client.transport.is_closing()
            client.transport.close()
            client.transport.close()
            assert client.transport.is_closing()
            assert client.protocol.lost_count == 0  # not within close()
            assert await client.protocol.lost is None
            assert client.protocol.events == ["made", "lost"]
            await turns()
            assert client.protocol.lost_count == 1
            assert sock.fileno() == -1
            assert not server.transport.is_closing()

    run(main())


def test_abort(run: Run) -> None:
    async def main() -> None:
        async with udp_pair() as (client, _):
            client.transport.abort()
            client.transport.abort()
            client.transport.close()
            assert client.transport.is_closing()
            assert await client.protocol.lost is None
            await turns()
            assert client.protocol.lost_count == 1

    run(main())


@pytest.mark.parametrize("how", ["close", "abort"])
def test_closing_in_datagram_received(run: Run, how: str) -> None:
    class Closing(DatagramRecorder):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            getattr(self.transport, how)()

    async def main() -> None:
        async with endpoint(Closing) as server:
            with udp_socket() as peer:
                for number in range(3):
                    peer.sendto(b"%d" % number, server.address)
                assert await server.protocol.lost is None
            assert [data for data, _ in server.protocol.datagrams] == [b"0"]
            assert server.protocol.events == ["made", "datagram", "lost"]

    run(main())


@pytest.mark.uvloop_differs("keeps the transport", leaks=True)
def test_closing_in_connection_made(run: Run) -> None:
    class Closing(DatagramRecorder):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.close()

    async def main() -> None:
        async with endpoint(Closing) as server:
            assert await server.protocol.lost is None
            assert server.protocol.events == ["made", "lost"]

    run(main())


def test_sending_in_connection_made_and_datagram_received(run: Run) -> None:
    class Greeting(DatagramRecorder):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.sendto(b"hello")

    async def main() -> None:
        async with endpoint() as server, endpoint(Greeting, remote_addr=server.address):
            assert await server.protocol.received(1) == [b"hello"]

    run(main())


def test_sendto_after_close_is_dropped_and_then_warned_about(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with udp_pair() as (client, server):
            client.transport.close()
            await client.protocol.lost
            for _ in range(4):
                client.transport.sendto(b"late")
            assert caplog.messages == []
            client.transport.sendto(b"late")
            assert caplog.messages == ["socket.send() raised exception."]
            server.transport.sendto(b"to itself", server.address)
            assert await server.protocol.received(1) == [b"to itself"]

    run(main())


@pytest.mark.only_on("jvloop")  # asyncio: AttributeError; uvloop: RuntimeError
def test_sendto_after_the_end_of_an_unconnected_transport_is_dropped(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with endpoint() as server, endpoint() as client:
            client.transport.close()
            await client.protocol.lost
            for _ in range(5):
                client.transport.sendto(b"late", server.address)
            assert caplog.messages == ["socket.send() raised exception."]

    run(main())


def test_exception_in_connection_lost(run: Run, errors: list[dict[str, Any]]) -> None:
    class Failing(DatagramRecorder):
        def connection_lost(self, exc: BaseException | None) -> None:
            super().connection_lost(exc)
            raise LookupError("mine")

    async def main() -> None:
        async with endpoint(Failing) as server:
            sock = server.transport.get_extra_info("socket")
            server.transport.close()
            await server.protocol.lost
            await until(lambda: bool(errors))
            assert isinstance(errors.pop()["exception"], LookupError)
            assert sock.fileno() == -1

    run(main())


# ---- information ----


def test_extra_info(run: Run) -> None:
    async def main() -> None:
        async with udp_pair() as (client, server):
            assert client.transport.get_extra_info("peername") == server.address
            assert server.transport.get_extra_info("peername") is None
            assert client.address == client.transport.get_extra_info("socket").getsockname()
            assert client.transport.get_extra_info("socket").type == socket.SOCK_DGRAM
            assert client.transport.get_extra_info("other") is None
            assert client.transport.get_extra_info("other", 5) == 5

    run(main())


@pytest.mark.uvloop_differs("its text is another")
def test_repr(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            await turns()
            fd = server.transport.get_extra_info("socket").fileno()
            assert f"fd={fd} read=polling write=<idle, bufsize=0>" in repr(server.transport)
            server.transport.close()
            assert "closing" in repr(server.transport)
            await server.protocol.lost
            assert "closed" in repr(server.transport)

    run(main())


@pytest.mark.uvloop_differs("its transport inherits from nothing of asyncio's")
def test_kinds_of_transport(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            assert isinstance(server.transport, asyncio.BaseTransport)
            assert isinstance(server.transport, asyncio.Transport | asyncio.DatagramTransport)

    run(main())


def test_descriptor_is_the_transports(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            await turns()
            fd = server.transport.get_extra_info("socket").fileno()
            with pytest.raises(RuntimeError, match="is used by transport"):
                loop.add_reader(fd, print)
            with pytest.raises(RuntimeError, match="is used by transport"):
                loop.remove_writer(fd)

    run(main())


@pytest.mark.uvloop_differs("does not log them")
def test_debug_mode_logs(loop: Loop, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "asyncio")
    loop.set_debug(True)

    class Slow(DatagramRecorder):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            deadline = time.monotonic() + 0.02
            while time.monotonic() < deadline:
                pass

    async def main() -> None:
        loop.slow_callback_duration = 0.01
        async with endpoint(Slow) as server:
            assert any("Datagram endpoint local_addr=" in message for message in caplog.messages)
            with udp_socket() as peer:
                peer.sendto(b"x", server.address)
                await server.protocol.received(1)
                await until(lambda: any(" took 0.0" in message for message in caplog.messages))
            server.transport.pause_reading()
            assert caplog.messages[-1].endswith(" pauses reading")
            server.transport.resume_reading()
            assert caplog.messages[-1].endswith(" resumes reading")

    run(main())


# ---- who keeps a transport alive ----


def test_the_loop_keeps_an_open_transport(run: Run) -> None:
    async def main() -> None:
        async with endpoint() as server:
            client, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
                DatagramRecorder, remote_addr=server.address
            )
            await turns()
            alive = weakref.ref(client)
            del client
            del protocol.transport
            gc.collect()
            assert alive() is not None
            client = alive()
            client.sendto(b"still here")
            assert await server.protocol.received(1) == [b"still here"]
            client.close()
            await protocol.lost

    run(main())


def test_a_closed_transport_is_freed(run: Run) -> None:
    async def main() -> None:
        client, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            DatagramRecorder, local_addr=(HOST, 0)
        )
        client.close()
        await protocol.lost
        alive = weakref.ref(client)
        del client
        del protocol.transport
        await turns()
        gc.collect()
        assert alive() is None

    run(main())


@pytest.mark.only_on("asyncio", "jvloop")  # uvloop's is kept by its handle
def test_a_transport_that_is_dropped_warns(loop: Loop, run: Run) -> None:
    async def main() -> int:
        transport, protocol = await loop.create_datagram_endpoint(DatagramRecorder, local_addr=(HOST, 0))
        await turns()
        transport.pause_reading()
        del protocol.transport
        number: int = transport.get_extra_info("socket").fileno()
        return number

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fd = run(main())
        gc.collect()
    assert [str(warning.message).startswith("unclosed transport <") for warning in caught] == [True]
    assert caught[0].category is ResourceWarning
    with pytest.raises(OSError):
        socket.socket(fileno=fd)


@pytest.mark.uvloop_differs("ends the process", run=False)
def test_a_loop_that_is_closed_with_an_open_transport(loop_factory: Callable[[], Loop]) -> None:
    loop = loop_factory()

    async def main() -> Any:
        transport, _ = await loop.create_datagram_endpoint(DatagramRecorder, local_addr=(HOST, 0))
        await turns()
        return transport

    transport = loop.run_until_complete(main())
    loop.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ResourceWarning: unclosed transport
        del transport
        gc.collect()
