"""jvloop.testing.faults: system calls that do less, are interrupted or fail; and transports that stand it."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import Any

import pytest

from jvloop import testing

from .support import HOST, Recorder, tcp_pair
from .tls_support import Tls

pytestmark = pytest.mark.only_on("jvloop")

DATA = os.urandom(5000)


class Sizes(Recorder):
    """Keeps the size of each piece that it got, too."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def data_received(self, data: bytes) -> None:
        self.sizes.append(len(data))
        super().data_received(data)


class Buffered(Recorder, asyncio.BufferedProtocol):
    """The same on the level of BufferedProtocol."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self._room = bytearray(4096)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        self.sizes.append(nbytes)
        Recorder.data_received(self, bytes(self._room[:nbytes]))


class TestShortReads:
    @pytest.mark.parametrize("protocol", [Sizes, Buffered])
    def test_give_at_most_so_many_bytes(self, loop: Any, run: Any, protocol: Any) -> None:
        async def main() -> None:
            async with tcp_pair(server_factory=protocol) as pair:
                with testing.faults(loop, short_reads=7) as done:
                    pair.client.transport.write(DATA)
                    assert await pair.server.received(len(DATA)) == DATA
                assert set(pair.server.sizes[:-1]) == {7}
                assert done.short_reads == len(DATA) // 7

        run(main())

    def test_are_of_any_size_up_to_that_with_a_seed(self, loop: Any, run: Any) -> None:
        async def sizes(seed: int) -> list[int]:
            async with tcp_pair(server_factory=Sizes) as pair:
                with testing.faults(loop, short_reads=7, seed=seed):
                    pair.client.transport.write(DATA)
                    await pair.server.received(len(DATA))
                return list(pair.server.sizes)

        first = run(sizes(1))
        assert set(first) == set(range(1, 8))
        assert run(sizes(1)) == first
        assert run(sizes(2)) != first

    def test_streams_read_their_lines_whole(self, loop: Any, run: Any) -> None:
        async def main() -> None:
            served: list[Any] = []

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                served.append(asyncio.current_task())
                while line := await reader.readline():
                    writer.write(line.upper())
                writer.close()
                await writer.wait_closed()

            with testing.faults(loop, short_reads=3, short_writes=2, eintr=0.3, seed=1) as done:
                server = await asyncio.start_server(serve, HOST, 0)
                async with server:
                    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                    for number in range(20):
                        writer.write(b"line %d\n" % number)
                        assert await reader.readline() == b"LINE %d\n" % number
                    writer.close()
                    await writer.wait_closed()
                    await asyncio.wait(served)
            assert done.short_reads and done.short_writes and done.interruptions

        run(main())


class TestShortWrites:
    def test_of_write_and_of_the_queue(self, loop: Any, run: Any) -> None:
        async def main() -> None:
            async with tcp_pair() as pair:
                with testing.faults(loop, short_writes=11) as done:
                    transport = pair.client.transport
                    transport.write(DATA)
                    transport.write(bytearray(DATA))
                    transport.writelines([DATA[:100], b"", memoryview(DATA)[100:]])
                    assert transport.get_write_buffer_size() > 0
                    transport.write_eof()
                    assert await pair.server.received(3 * len(DATA)) == 3 * DATA
                    await pair.server.eof
                    assert done.short_writes > 3 * len(DATA) / 11 / 2
                    assert done.short_reads == 0

        run(main())

    def test_flow_control_pauses_and_resumes(self, loop: Any, run: Any) -> None:
        async def main() -> None:
            async with tcp_pair() as pair:
                with testing.faults(loop, short_writes=100):
                    pair.client.transport.set_write_buffer_limits(high=1000, low=500)
                    pair.client.transport.write(DATA)
                    await pair.server.received(len(DATA))
                assert pair.client.events == ["made", "pause", "resume"]

        run(main())

    def test_close_sends_what_is_queued(self, loop: Any, run: Any) -> None:
        async def main() -> None:
            async with tcp_pair() as pair:
                with testing.faults(loop, short_writes=13):
                    pair.client.transport.write(DATA)
                    pair.client.transport.close()
                    assert await pair.client.lost is None
                    assert await pair.server.received(len(DATA)) == DATA

        run(main())


class TestReset:
    def test_comes_after_exactly_so_many_bytes(self, loop: Any, run: Any) -> None:
        async def main() -> None:
            for limit in (0, 1, 1000):
                async with tcp_pair() as pair:
                    with testing.faults(loop, reset_after=limit) as done:
                        # The writing side fails by its own count, and the other gets what was sent till then.
                        pair.client.transport.write(DATA)
                        lost = await pair.client.lost
                        assert isinstance(lost, ConnectionResetError)
                        assert lost.errno == errno.ECONNRESET
                        await pair.server.lost
                        assert bytes(pair.server.data) == DATA[:limit]
                        assert done.resets >= 1

        run(main())

    def test_counts_each_connection_from_its_beginning(self, loop: Any, run: Any) -> None:
        """The next connection has the former one's descriptors."""

        async def main() -> None:
            with testing.faults(loop, reset_after=100) as done:
                for _ in range(5):
                    async with tcp_pair() as pair:
                        pair.client.transport.write(DATA[:60])
                        assert await pair.server.received(60) == DATA[:60]
                        pair.server.transport.write(DATA[:30])
                        assert await pair.client.received(30) == DATA[:30]
                assert done.resets == 0

        run(main())


def test_interruptions_go_unnoticed(loop: Any, run: Any) -> None:
    async def main() -> None:
        with testing.faults(loop, eintr=0.5, seed=3) as done:
            async with tcp_pair() as pair:
                for number in range(1, 21):
                    pair.client.transport.write(DATA)
                    await pair.server.received(number * len(DATA))
                assert pair.server.data == 20 * DATA
        assert done.interruptions > 5

    run(main())


def test_a_server_survives_running_out_of_descriptors(backend: Any) -> None:
    """Each time asyncio's servers wait a second before they look again: of the virtual clock's."""
    clock = testing.VirtualClock()
    errors: list[Any] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(context["exception"].errno))
        with testing.faults(loop, emfile_on_accept=3) as done:
            async with tcp_pair() as pair:
                pair.client.transport.write(b"still there")
                assert await pair.server.received(11) == b"still there"
        assert done.refusals == 3

    testing.run(main(), clock=clock)
    assert errors == [errno.EMFILE] * 3
    assert clock.time() == 3


def test_tls_stands_short_reads_short_writes_and_interruptions(loop: Any, run: Any, tls: Tls) -> None:
    async def main() -> None:
        served: list[Any] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served.append(asyncio.current_task())
            writer.write(await reader.readexactly(len(DATA)))
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        with testing.faults(loop, short_reads=50, short_writes=40, eintr=0.2, seed=1) as done:
            server = await asyncio.start_server(serve, HOST, 0, ssl=tls.server)
            async with server:
                port = server.sockets[0].getsockname()[1]
                reader, writer = await asyncio.open_connection(HOST, port, ssl=tls.client)
                writer.write(DATA)
                assert await reader.read() == DATA
                writer.close()
                await writer.wait_closed()
                await asyncio.wait(served)
        assert done.short_reads > 100
        assert done.short_writes > 100
        assert done.interruptions > 10

    run(main())


class TestScope:
    def test_ends_with_the_block(self, loop: Any, run: Any) -> None:
        async def main() -> None:
            async with tcp_pair(server_factory=Sizes) as pair:
                with testing.faults(loop, short_reads=1) as done:
                    pair.client.transport.write(b"abc")
                    await pair.server.received(3)
                assert pair.server.sizes == [1, 1, 1]
                pair.client.transport.write(DATA[:1000])
                await pair.server.received(1003)
                assert max(pair.server.sizes) > 1
                assert done.short_reads == 2 or done.short_reads == 3

        run(main())

    def test_inner_faults_replace_outer_ones_till_their_end(self, loop: Any, run: Any) -> None:
        async def main() -> None:
            async with tcp_pair(server_factory=Sizes) as pair:
                with testing.faults(loop, short_reads=2):
                    with testing.faults(loop, short_reads=3):
                        pair.client.transport.write(b"123456")
                        await pair.server.received(6)
                    pair.client.transport.write(b"123456")
                    await pair.server.received(12)
                assert pair.server.sizes == [3, 3, 2, 2, 2]

        run(main())

    def test_other_loops_are_not_touched(self, loop: Any, backend: Any) -> None:
        other = backend.new_loop()

        async def main() -> list[int]:
            async with tcp_pair(server_factory=Sizes) as pair:
                pair.client.transport.write(DATA[:1000])
                await pair.server.received(1000)
                return list(pair.server.sizes)

        try:
            with testing.faults(loop, short_reads=1) as done:
                assert max(other.run_until_complete(main())) > 1
            assert done.short_reads == 0
        finally:
            other.close()

    def test_the_loop_may_be_closed_within(self, backend: Any) -> None:
        loop = backend.new_loop()
        with testing.faults(loop, short_reads=1) as done:
            loop.close()
        assert repr(done) == "<Faults short_reads=0 short_writes=0 interruptions=0 resets=0 refusals=0>"

    def test_only_jvloops_loops_have_them(self, backend: Any) -> None:
        loop = asyncio.SelectorEventLoop()
        try:
            with pytest.raises(TypeError, match="jvloop"), testing.faults(loop):
                pass
        finally:
            loop.close()

    @pytest.mark.parametrize(
        "wish",
        [
            {"short_reads": 0},
            {"short_writes": -1},
            {"eintr": 1.0},
            {"eintr": -0.1},
            {"eintr": float("nan")},
            {"reset_after": -1},
            {"emfile_on_accept": -1},
        ],
        ids=str,
    )
    def test_refuses_what_cannot_be(self, loop: Any, wish: dict[str, Any]) -> None:
        with pytest.raises(ValueError), testing.faults(loop, **wish):
            pass
