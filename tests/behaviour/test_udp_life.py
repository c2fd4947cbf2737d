"""The life of a datagram transport: closing, what it tells, and what is left after."""

from __future__ import annotations

import asyncio
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
