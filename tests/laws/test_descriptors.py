"""One owner per descriptor: closed and reused numbers, and many connections without growth."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from behaviour.support import HOST, Recorder, socketpair, tcp_pair, turns

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]

LIBUV = pytest.mark.uvloop_differs("libuv's own bookkeeping of closed descriptors", run=False)


@pytest.mark.only_on("jvloop")
def test_a_number_closed_while_registered_and_reused_does_not_call_the_old_reader(loop: Loop) -> None:
    """The program closes a registered socket, and its number comes back as another socket.

    asyncio's selector believes that the new socket is registered already, and never hears of it.
    """
    seen: list[str] = []
    ours, theirs = socketpair()
    number = ours.fileno()
    loop.add_reader(ours, seen.append, "old")
    ours.close()
    theirs.close()
    again, far = socketpair()
    if again.fileno() != number:
        os.dup2(again.fileno(), number)
        again.close()
        again = socket.socket(fileno=number)
    with again, far:
        loop.add_reader(again, lambda: (seen.append("new"), loop.stop()))  # type: ignore[func-returns-value]
        far.send(b"x")
        loop.run_forever()
        loop.remove_reader(again)
    assert seen == ["new"]


@LIBUV
@pytest.mark.parametrize("kind", ["reader", "writer"])
def test_closed_while_registered_and_removed_later(loop: Loop, kind: str) -> None:
    ours, theirs = socketpair()
    number = ours.fileno()
    getattr(loop, f"add_{kind}")(number, print)
    ours.close()
    theirs.close()
    assert getattr(loop, f"remove_{kind}")(number) is True
    assert getattr(loop, f"remove_{kind}")(number) is False
    loop.run_until_complete(turns())


@pytest.mark.only_on("jvloop")
def test_closed_while_registered_both_ways_and_removed_later(loop: Loop) -> None:
    """asyncio lets the EBADF of its selector out of remove_reader()."""
    ours, theirs = socketpair()
    number = ours.fileno()
    loop.add_reader(number, print)
    loop.add_writer(number, print)
    ours.close()
    theirs.close()
    assert loop.remove_reader(number) is True
    loop.remove_writer(number)
    assert loop.remove_reader(number) is False
    assert loop.remove_writer(number) is False
    loop.run_until_complete(turns())


@LIBUV
def test_closed_while_registered_and_forgotten(loop: Loop) -> None:
    """The kernel drops the registration with the last descriptor: the loop must neither spin nor fail."""
    ours, theirs = socketpair()
    loop.add_reader(ours, print)
    ours.close()
    theirs.close()
    loop.run_until_complete(asyncio.sleep(0.005))


@LIBUV
def test_a_duplicate_keeps_the_kernels_registration_alive(loop: Loop) -> None:
    """dup() and close(): epoll goes on reporting a number that the program no longer has; re-use must still work."""
    seen: list[str] = []
    ours, theirs = socketpair()
    number = ours.fileno()
    copy = ours.dup()
    loop.add_reader(ours, seen.append, "old")
    loop.remove_reader(ours)
    ours.close()
    again, far = socketpair()
    with copy, theirs, again, far:
        theirs.send(b"for the duplicate")
        loop.add_reader(again, lambda: (seen.append("new"), loop.stop()))  # type: ignore[func-returns-value]
        far.send(b"x")
        loop.run_forever()
        loop.remove_reader(again)
    assert seen == ["new"]
    assert number >= 0


@pytest.mark.only_on("jvloop")
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_loop_whose_epoll_descriptor_is_gone_says_so(loop: Any, busy: bool) -> None:
    """A program closed a number that was not its own. asyncio's selector raises too."""
    epoll = loop.fileno()
    kept = os.dup(epoll)

    def again() -> None:
        loop.call_soon(again)

    try:
        with open(os.devnull, "rb") as other:
            os.dup2(other.fileno(), epoll, inheritable=False)
        if busy:
            again()
        with pytest.raises(OSError) as failure:
            loop.run_forever()
        assert failure.value.errno == errno.EINVAL
    finally:
        os.dup2(kept, epoll, inheritable=False)
        os.close(kept)
    loop.run_until_complete(asyncio.sleep(0.001))


def test_numbers_are_reused_at_once_between_connections(run: Run) -> None:
    async def main() -> None:
        numbers = set()
        for round_number in range(30):
            async with tcp_pair() as pair:
                numbers.add(pair.client.transport.get_extra_info("socket").fileno())
                message = b"round %d" % round_number
                pair.client.transport.write(message)
                assert await pair.server.received(len(message)) == message
        assert len(numbers) < 10

    run(main())


def resident_kib() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS in /proc/self/status")


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class OneShot(asyncio.Protocol):
    """Sends a message, waits for the echo, closes."""

    def __init__(self) -> None:
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.transport.write(b"x" * 100)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)


@pytest.mark.timeout(60)
def test_10000_connections_without_growth(run: Run, loop: Loop) -> None:
    batch, batches = 200, 50

    async def open_and_close(address: Any) -> None:
        pairs = await asyncio.gather(*(loop.create_connection(OneShot, *address) for _ in range(batch)))
        for _, protocol in pairs:
            assert await protocol.lost is None

    async def main() -> tuple[int, int, int, int]:
        server = await loop.create_server(Echo, HOST, 0, backlog=batch)
        async with server:
            address = server.sockets[0].getsockname()
            for _ in range(batches // 5):  # compilers, allocators and caches find their size
                await open_and_close(address)
            gc.collect()
            fds, memory = len(os.listdir("/proc/self/fd")), resident_kib()
            for _ in range(batches - batches // 5):
                await open_and_close(address)
            gc.collect()
            return fds, len(os.listdir("/proc/self/fd")), memory, resident_kib()

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 3 * batch:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    fds_before, fds_after, memory_before, memory_after = run(main())
    assert fds_after <= fds_before + 5
    assert memory_after - memory_before < 20_000, f"{memory_after - memory_before} KiB more after 8,000 connections"


def test_half_open_and_refused_connections_leave_nothing(run: Run, loop: Loop) -> None:
    async def main() -> None:
        before = len(os.listdir("/proc/self/fd"))
        with socket.socket() as sock:
            sock.bind((HOST, 0))
            address = sock.getsockname()
            for _ in range(50):
                with pytest.raises(ConnectionRefusedError):
                    await loop.create_connection(Recorder, *address)
        await turns()
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) <= before + 3

    run(main())


@pytest.mark.only_on("jvloop")
@pytest.mark.parametrize("left", [0, 1])
def test_an_engine_without_descriptors_says_so_and_leaves_none(loop: Loop, left: int) -> None:
    """The poller needs two. (asyncio leaves a selector open, and warns, where its second is missing.)"""
    gc.collect()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, limits[1]))
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        for _ in range(left):
            os.close(taken.pop())
        for _ in range(2):
            with pytest.raises(OSError) as raised:
                type(loop)()
            assert raised.value.errno == errno.EMFILE
        taken += [os.dup(0) for _ in range(left)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for fd in taken:
            os.close(fd)
