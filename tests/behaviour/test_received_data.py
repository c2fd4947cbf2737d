"""What a protocol is given stays as it was: the bytes objects of later messages never touch those a program keeps."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .support import Recorder, tcp_pair
from .tls_support import Tls, tls_pair

Run = Callable[..., Any]
SIZES = [
    1,
    2,
    479,
    480,
    511,
    512,
    513,
    600,
    1000,
    1023,
    1024,
    1025,
    1500,
    2047,
    2048,
    5000,
    16_384,
    40_000,
    65_535,
    65_536,
]


def messages(count: int) -> list[bytes]:
    """Messages of many sizes, each full of a byte of its own."""
    random_sizes = random.Random(1)
    return [bytes([i % 251]) * random_sizes.choice(SIZES) for i in range(count)]


class Keeping(Recorder):
    """Keeps the objects themselves, as `keep` says."""

    def __init__(self, keep: Callable[[bytes], Any]) -> None:
        super().__init__()
        self.kept: list[Any] = []
        self.copies: list[bytearray] = []
        self._keep = keep

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        assert type(data) is bytes
        kept = self._keep(data)
        if kept is not None:
            self.kept.append(kept)
            self.copies.append(bytearray(data))


def every_second() -> Callable[[bytes], Any]:
    turn = itertools.cycle([True, False])
    return lambda data: data if next(turn) else None


KEEPERS: dict[str, Callable[[], Callable[[bytes], Any]]] = {
    "all": lambda: lambda data: data,
    "every second": every_second,
    "views": lambda: memoryview,
    "slices of views": lambda: lambda data: memoryview(data)[:],
    "rare": lambda: lambda data: data if data[0] % 10 == 0 else None,
}


@pytest.mark.parametrize("keeper", KEEPERS)
@pytest.mark.parametrize("encrypted", [False, True], ids=["tcp", "tls"])
def test_kept_data_stays_as_it_was(run: Run, tls: Tls, keeper: str, encrypted: bool) -> None:
    def keeping() -> Keeping:
        return Keeping(KEEPERS[keeper]())

    async def main() -> None:
        async with tls_pair(tls, Recorder, keeping) if encrypted else tcp_pair(Recorder, keeping) as pair:
            expected = 0
            for message in messages(400):
                pair.client.transport.write(message)
                expected += len(message)
                await pair.server.received(expected)
            assert [bytes(kept) for kept in pair.server.kept] == [bytes(copy) for copy in pair.server.copies]

    run(main())


def test_hashes_and_lengths_are_those_of_the_data(run: Run) -> None:
    """A bytes object remembers its hash: that of another message must not be found."""

    class Hashing(Recorder):
        def data_received(self, data: bytes) -> None:
            copy = bytes(bytearray(data))
            assert hash(data) == hash(copy)
            assert data == copy
            assert len(data) == len(copy)
            assert {copy: 1}[data] == 1
            assert int(data[:100].hex(), 16) == int(copy[:100].hex(), 16)
            super().data_received(data)

    async def main() -> None:
        async with tcp_pair(Recorder, Hashing) as pair:
            expected = 0
            for message in messages(400):
                pair.client.transport.write(message)
                expected += len(message)
                await pair.server.received(expected)

    run(main())


def test_kept_datagrams_stay_as_they_were(run: Run) -> None:
    class Receiver(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.kept: list[bytes] = []
            self.count = 0
            self.arrived = asyncio.Event()

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.count += 1
            if self.count % 3:
                self.kept.append(data)
            self.arrived.set()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        receiving, receiver = await loop.create_datagram_endpoint(Receiver, local_addr=("127.0.0.1", 0))
        sending, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=receiving.get_extra_info("sockname")
        )
        expected = []
        for i, message in enumerate(messages(300), 1):
            datagram = message[:9000]
            sending.sendto(datagram)
            while receiver.count < i:
                receiver.arrived.clear()
                await receiver.arrived.wait()
            if i % 3:
                expected.append(datagram)
        assert receiver.kept == expected
        sending.close()
        receiving.close()

    run(main())


def test_nobody_else_holds_what_a_protocol_gets(run: Run) -> None:
    class Counting(Recorder):
        def data_received(self, data: bytes) -> None:
            self.references = sys.getrefcount(data)
            super().data_received(data)

    async def main() -> None:
        async with tcp_pair(Recorder, Counting) as pair:
            for i in range(1, 5):
                pair.client.transport.write(bytes(1024))
                await pair.server.received(1024 * i)
                # The caller's, the local name's, and the argument of getrefcount.
                assert pair.server.references <= 4

    run(main())
