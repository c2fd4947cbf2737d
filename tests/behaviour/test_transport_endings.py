"""How connections end: half-closed, closed, aborted, reset, and written to afterwards."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import stat
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder, reset, tcp_pair, tcp_socketpair, turns, until

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


def test_write_eof_and_half_close(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair(Recorder, lambda: Recorder(keep_open_on_eof=True)) as pair:
            transport = pair.client.transport
            assert transport.can_write_eof()
            transport.write(b"question")
            transport.write_eof()
            transport.write_eof()  # idempotent
            await pair.server.eof
            assert pair.server.data == b"question"
            with pytest.raises(RuntimeError, match=r"Cannot call write\(\) after write_eof\(\)"):
                transport.write(b"more")
            pair.server.transport.write(b"answer")
            assert await pair.client.received(6) == b"answer"
            pair.server.transport.close()
            assert await pair.client.lost is None
            assert await pair.server.lost is None

    run(main())


def test_writelines_after_write_eof(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write_eof()
            with pytest.raises(RuntimeError, match="after write_eof"):
                pair.client.transport.writelines([b"more"])

    run(main())


def test_write_eof_waits_for_what_was_written(run: Run) -> None:
    size = 8 << 20

    async def main() -> None:
        async with tcp_pair(Recorder, lambda: Recorder(keep_open_on_eof=True)) as pair:
            pair.client.transport.write(bytes(size))
            pair.client.transport.write_eof()
            await pair.server.eof
            assert len(pair.server.data) == size

    run(main())


@pytest.mark.parametrize("answer", [True, False, None])
def test_eof_received_decides_if_the_transport_closes(run: Run, answer: bool | None) -> None:
    class Deciding(Recorder):
        def eof_received(self) -> bool:
            super().eof_received()
            return answer  # type: ignore[return-value]

    async def main() -> None:
        async with tcp_pair(Recorder, Deciding) as pair:
            pair.client.transport.write_eof()
            await pair.server.eof
            await turns(5)
            if answer:
                assert not pair.server.transport.is_closing()
                assert not pair.server.lost.done()
                pair.server.transport.write(b"still open")
                await pair.client.received(10)
            else:
                assert await pair.server.lost is None

    run(main())


def test_close_flushes_what_was_written(run: Run) -> None:
    size = 8 << 20

    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.write(bytes(size))
            assert pair.client.transport.get_write_buffer_size() > 0
            pair.client.transport.close()
            assert not pair.client.lost.done()
            assert await pair.server.lost is None
            assert len(pair.server.data) == size
            assert await pair.client.lost is None

    run(main())


def test_nothing_is_received_after_close(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.server.transport.pause_reading()
            pair.client.transport.write(bytes(8 << 20))  # keeps the closing client alive
            pair.client.transport.close()
            pair.server.transport.write(b"too late")
            await turns(10)
            assert pair.client.data == b""

    run(main())


def test_abort_drops_what_was_written(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.server.transport.pause_reading()
            pair.client.transport.write(bytes(8 << 20))
            pair.client.transport.abort()
            assert pair.client.transport.is_closing()
            assert not pair.client.lost.done()  # never from inside abort()
            assert await pair.client.lost is None
            pair.server.transport.resume_reading()
            await pair.server.lost
            assert len(pair.server.data) < 8 << 20

    run(main())


def test_closing_twice_and_aborting_after_it(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            for _ in range(2):
                pair.client.transport.close()
                pair.client.transport.abort()
            await pair.client.lost
            pair.client.transport.close()
            pair.client.transport.abort()
            await turns()
            assert pair.client.lost_count == 1

    run(main())


def test_connection_lost_is_never_called_from_inside_close(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.close()
            assert not pair.client.lost.done()
            await pair.client.lost

    run(main())


def test_close_inside_data_received(run: Run) -> None:
    class Closing(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.write(b"bye")
            self.transport.close()

    async def main() -> None:
        async with tcp_pair(Recorder, Closing) as pair:
            pair.client.transport.write(b"x")
            assert await pair.client.received(3) == b"bye"
            assert await pair.server.lost is None
            await pair.client.lost

    run(main())


def test_a_reset_is_told_to_the_protocol(run: Run, loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        _, protocol = await loop.create_connection(Recorder, sock=ours)
        reset(theirs)
        assert isinstance(await protocol.lost, ConnectionResetError)
        assert protocol.events == ["made", "lost"]

    run(main())


def test_a_reset_while_writing(run: Run, loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        transport.pause_reading()
        transport.write(bytes(8 << 20))
        reset(theirs)
        assert isinstance(await protocol.lost, (ConnectionResetError, BrokenPipeError))
        assert protocol.lost_count == 1

    run(main())


@pytest.mark.uvloop_differs("raises RuntimeError")
def test_writes_to_a_lost_connection_are_counted_and_warned_about(
    run: Run, loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        reset(theirs)
        await protocol.lost
        with caplog.at_level(logging.WARNING, "asyncio"):
            for _ in range(10):
                transport.write(b"into the void")
        warnings = [record for record in caplog.records if record.getMessage() == "socket.send() raised exception."]
        assert len(warnings) >= 5

    run(main())


@pytest.mark.uvloop_differs("warns a time more or less")
def test_the_warning_comes_with_the_sixth_write(run: Run, loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        reset(theirs)
        await protocol.lost
        counts = []
        with caplog.at_level(logging.WARNING, "asyncio"):
            for _ in range(8):
                transport.write(b"into the void")
                counts.append(len(caplog.records))
        assert counts == [0, 0, 0, 0, 1, 2, 3, 4]

    run(main())


def test_writing_after_close_is_silently_dropped_at_first(run: Run) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            pair.client.transport.close()
            pair.client.transport.write(b"dropped?")
            await pair.server.lost

    run(main())


AFTERWARDS = pytest.param("afterwards", marks=pytest.mark.uvloop_differs("has no socket then"))


@pytest.mark.parametrize("asked", ["before", "in connection_lost", AFTERWARDS])
def test_an_ended_connection_tells_its_addresses_and_has_a_closed_socket(run: Run, asked: str) -> None:
    infos: list[tuple[Any, Any]] = []

    class Asking(Recorder):
        def connection_lost(self, exc: BaseException | None) -> None:
            if asked == "in connection_lost":
                infos.append(info(self.transport))
            super().connection_lost(exc)

    def info(transport: asyncio.BaseTransport) -> tuple[Any, Any]:
        return transport.get_extra_info("peername"), transport.get_extra_info("socket")

    async def main() -> None:
        async with tcp_pair(Recorder, Asking) as pair:
            address = pair.client.transport.get_extra_info("sockname")
            server = pair.server.transport
            if asked == "before":
                infos.append(info(server))
            pair.client.transport.close()
            await pair.server.lost
            await turns()
            if asked == "afterwards":
                infos.append(info(server))
            ((peer, sock),) = infos
            assert peer == address
            assert sock.fileno() == -1

    run(main())


class Failing(Recorder):
    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        raise ZeroDivisionError


async def server_of_failing() -> tuple[asyncio.Server, asyncio.Queue[Failing]]:
    """A server, and the protocols of its connections as they are made."""
    ours: asyncio.Queue[Failing] = asyncio.Queue()

    def factory() -> Failing:
        ours.put_nowait(protocol := Failing())
        return protocol

    return await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0), ours


@pytest.mark.parametrize("asks", [False, True])
def test_a_raising_connection_lost_closes_the_descriptor_and_frees_the_server(
    run: Run, errors: list[dict[str, Any]], asks: bool
) -> None:
    async def main() -> None:
        server, ours = await server_of_failing()
        async with server:
            with socket.create_connection(server.sockets[0].getsockname()) as peer:
                protocol = await ours.get()
                await protocol.made
                if asks:
                    protocol.transport.get_extra_info("socket")
                protocol.transport.abort()
                await protocol.lost
                server.close()
                await server.wait_closed()  # for connections too, since 3.12
                peer.settimeout(10)
                assert peer.recv(1) == b""
        await turns()
        (context,) = errors
        assert isinstance(context["exception"], ZeroDivisionError)
        assert "connection_lost" in context["message"]
        errors.clear()

    run(main())


def test_a_loop_that_is_held_up_leaves_nobody_unaccepted(run: Run) -> None:
    count = 150
    made: list[Recorder] = []

    async def main() -> None:
        def factory() -> Recorder:
            made.append(protocol := Recorder())
            return protocol

        server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, backlog=count)
        async with server:
            address = server.sockets[0].getsockname()
            with socket.create_connection(address):
                await until(lambda: len(made) == 1)
                # Nothing else runs until all of them wait in the listening socket's queue.
                peers = [socket.create_connection(address) for _ in range(count)]
                await until(lambda: len(made) == 1 + count)
                for protocol in made:
                    await protocol.made
                    protocol.transport.abort()
                    await protocol.lost
            for peer in peers:
                peer.close()
        await turns()

    run(main())


@pytest.mark.uvloop_differs("libuv closes descriptors itself, and ends the process where it cannot", run=False)
@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")  # asyncio's, of a transport that did not close
@pytest.mark.parametrize("asks", [False, True])
def test_an_error_of_the_closing_has_that_of_connection_lost_as_its_context(
    run: Run, errors: list[dict[str, Any]], asks: bool
) -> None:
    def sockets() -> set[int]:
        return {int(fd) for fd in os.listdir("/proc/self/fd") if is_socket(int(fd))}

    def is_socket(fd: int) -> bool:
        try:
            return stat.S_ISSOCK(os.fstat(fd).st_mode)
        except OSError:  # the directory's own, closed by now
            return False

    async def main() -> None:
        server, ours = await server_of_failing()
        before = sockets()
        with socket.create_connection(server.sockets[0].getsockname()) as peer:
            protocol = await ours.get()
            await protocol.made
            (fd,) = sockets() - before - {peer.fileno()}
            if asks:
                protocol.transport.get_extra_info("socket")
            protocol.transport.abort()
            os.close(fd)
            await protocol.lost
            await turns()
        server.close()  # which has the connection still, as on asyncio: waiting for that would not end
        (context,) = errors
        assert isinstance(context["exception"], OSError)
        assert context["exception"].errno == errno.EBADF
        assert isinstance(context["exception"].__context__, ZeroDivisionError)
        errors.clear()

    run(main())
