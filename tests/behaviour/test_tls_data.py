"""Bytes over TLS: all of them, in order, whatever they were written from."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder, until
from .tls_support import VERSIONS, Tls, client_of, server_of, tls_pair

Run = Callable[..., Any]
MIB = 1 << 20


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("version", VERSIONS)
def test_megabytes_both_ways_at_once(run: Run, tls: Tls, version: Any) -> None:
    there, back = noise(6 * MIB, 1), noise(5 * MIB + 12345, 2)

    async def main() -> None:
        async with tls_pair(tls, client=tls.new_client(version)) as pair:
            pair.client.transport.write(there)
            pair.server.transport.write(back)
            await asyncio.gather(pair.server.received(len(there)), pair.client.received(len(back)))
            assert hashlib.sha256(pair.server.data).digest() == hashlib.sha256(there).digest()
            assert hashlib.sha256(pair.client.data).digest() == hashlib.sha256(back).digest()

    run(main())


@pytest.mark.parametrize("size", [1, 2, 16383, 16384, 16385, 32768, 65535, 65536, 65537, 262143, 262144, 262145])
def test_sizes_around_the_limits_of_records_and_buffers(run: Run, tls: Tls, size: int) -> None:
    data = noise(size)

    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            sending = asyncio.ensure_future(peer.send(data))
            assert await protocol.received(size) == data
            await sending
            protocol.transport.write(data)
            assert await peer.receive(size) == data

    run(main())


def test_many_small_writes(run: Run, tls: Tls) -> None:
    pieces = [b"%d;" % number for number in range(20_000)]

    async def main() -> None:
        async with tls_pair(tls) as pair:
            for piece in pieces:
                pair.client.transport.write(piece)
            whole = b"".join(pieces)
            assert await pair.server.received(len(whole)) == whole

    run(main())


def test_small_writes_with_turns_between(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with tls_pair(tls) as pair:
            for number in range(500):
                pair.client.transport.write(bytes([number % 256]))
                if number % 7 == 0:
                    await asyncio.sleep(0)
            assert await pair.server.received(500) == bytes(number % 256 for number in range(500))

    run(main())


def test_ping_pong(run: Run, tls: Tls) -> None:
    class Echo(Recorder):
        def data_received(self, data: bytes) -> None:
            self.transport.write(data)

    async def main() -> None:
        async with tls_pair(tls, Recorder, Echo) as pair:
            for number in range(1, 500):
                pair.client.transport.write(b"ping")
                await pair.client.received(4 * number)
            assert pair.client.data == b"ping" * 499

    run(main())


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: memoryview(bytearray(data))[:]])
def test_kinds_of_buffers(run: Run, tls: Tls, kind: Callable[[bytes], Any]) -> None:
    data = noise(300_000)

    async def main() -> None:
        async with tls_pair(tls) as pair:
            pair.client.transport.write(kind(data))
            assert await pair.server.received(len(data)) == data

    run(main())


def test_part_of_a_memoryview(run: Run, tls: Tls) -> None:
    data = bytearray(noise(200_000))

    async def main() -> None:
        async with tls_pair(tls) as pair:
            pair.client.transport.write(memoryview(data)[1000:150_000])
            assert await pair.server.received(149_000) == data[1000:150_000]

    run(main())


def test_buffer_may_change_after_write(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            data = bytearray(b"x" * 3_000_000)
            protocol.transport.write(data)  # more than the socket takes
            data[:] = b"y" * len(data)
            assert await peer.receive(3_000_000) == b"x" * 3_000_000

    run(main())


def test_subclasses_of_bytes(run: Run, tls: Tls) -> None:
    class Text(bytes):
        pass

    async def main() -> None:
        async with tls_pair(tls) as pair:
            pair.client.transport.write(Text(b"text"))
            assert await pair.server.received(4) == b"text"
            assert type(bytes(pair.server.data)) is bytes

    run(main())


@pytest.mark.parametrize("wrong", ["text", 3, None, [b"a"]])
def test_what_cannot_be_written(run: Run, tls: Tls, wrong: Any) -> None:
    async def main() -> None:
        async with tls_pair(tls) as pair:
            with pytest.raises(TypeError, match=f"data: expecting a bytes-like instance, got {type(wrong).__name__}"):
                pair.client.transport.write(wrong)
            pair.client.transport.write(b"fine")
            assert await pair.server.received(4) == b"fine"

    run(main())


def test_empty_writes_send_nothing(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            protocol.transport.write(b"first")
            assert await peer.receive(5) == b"first"  # the session tickets are read with it
            before = len(peer.received_raw)
            protocol.transport.write(b"")
            protocol.transport.write(bytearray())
            protocol.transport.writelines([])
            protocol.transport.write(b"last")
            assert await peer.receive(4) == b"last"
            assert len(peer.received_raw) - before == 5 + 4 + 1 + 16  # one record: header, text, type, tag

    run(main())


@pytest.mark.parametrize("make", [list, tuple, iter, lambda pieces: (piece for piece in pieces)])
def test_writelines(run: Run, tls: Tls, make: Callable[[list[Any]], Any]) -> None:
    pieces = [b"bytes", bytearray(b"bytearray"), memoryview(b"memoryview"), b"", noise(100_000)]

    async def main() -> None:
        async with tls_pair(tls) as pair:
            pair.client.transport.writelines(make(pieces))
            whole = b"".join(bytes(piece) for piece in pieces)
            assert await pair.server.received(len(whole)) == whole

    run(main())


def test_write_in_connection_made_on_both_sides(run: Run, tls: Tls) -> None:
    class Greeting(Recorder):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.write(b"hello")
            transport.writelines([b" ", b"there"])

    async def main() -> None:
        async with tls_pair(tls, Greeting, Greeting) as pair:
            assert await pair.client.received(11) == b"hello there"
            assert await pair.server.received(11) == b"hello there"

    run(main())


def test_write_inside_data_received_keeps_its_order(run: Run, tls: Tls) -> None:
    class Counting(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            for byte in data:
                self.transport.write(bytes([byte]))
            self.transport.write(b"|")

    async def main() -> None:
        async with server_of(tls.client, tls, factory=Counting) as (_, peer):
            await peer.send(b"abc")
            assert await peer.receive(4) == b"abc|"
            await peer.send(b"de")
            assert await peer.receive(3) == b"de|"

    run(main())


def test_several_records_in_one_segment(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with client_of(tls.server, tls) as (protocol, peer):
            records = b"".join(peer.record(bytes([number]) * number) for number in range(1, 100))
            await peer.send_raw(records)
            expected = b"".join(bytes([number]) * number for number in range(1, 100))
            assert await protocol.received(len(expected)) == expected

    run(main())


def test_record_cut_at_every_byte(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with client_of(tls.server, tls) as (protocol, peer):
            for cut in range(1, 26):
                record = peer.record(b"pair")
                assert len(record) == 26
                await peer.send_raw(record[:cut])
                await asyncio.sleep(0)
                assert len(protocol.data) == 4 * (cut - 1) + (4 if cut == 26 else 0)
                await peer.send_raw(record[cut:])
                await protocol.received(4 * cut)
            assert protocol.data == b"pair" * 25

    run(main())


def test_empty_records_are_no_end(run: Run, tls: Tls) -> None:
    """TLS 1.3 lets a peer send records with nothing but padding; the reader sees neither data nor the end."""

    async def main() -> None:
        async with client_of(tls.server, tls) as (protocol, peer):
            for number in range(20):
                peer.ssl.write(b"")
                await peer.flush()
                await peer.send(b"%02d" % number)
            assert await protocol.received(40) == b"".join(b"%02d" % number for number in range(20))
            assert protocol.events == ["made", "data"]

    run(main())


def test_fifty_connections_move_data_at_once(run: Run, tls: Tls) -> None:
    class Echo(Recorder):
        def data_received(self, data: bytes) -> None:
            self.transport.write(data)

    async def main() -> None:
        async def one(number: int) -> None:
            data = noise(100_000, number)
            async with tls_pair(tls, Recorder, Echo) as pair:
                for start in range(0, len(data), 7_000):
                    pair.client.transport.write(data[start : start + 7_000])
                    await asyncio.sleep(0)
                assert await pair.client.received(len(data)) == data
                pair.client.transport.close()
                assert await pair.client.lost is None
                await until(lambda: pair.server.lost.done())

        await asyncio.gather(*map(one, range(50)))

    run(main())
