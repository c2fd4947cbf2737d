"""Peers that break TLS: their connection ends with an error, and nothing else does. The damage is random, by seed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from .support import HOST, Recorder, tcp_socketpair
from .tls_support import RECORD_HEADER_SIZE, VERSIONS, Tls, WirePeer, client_of, server_of, tls_pair

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
Errors = list[dict[str, Any]]
HANDSHAKES = 100
STREAMS = 100


class Echo(Recorder):
    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Bystander:
    """A healthy connection of the same loop, which must not notice anything."""

    def __init__(self, client: Recorder) -> None:
        self.client = client
        self.expected = b""

    async def goes_on(self) -> None:
        message = b"%d;" % len(self.expected)
        self.expected += message
        self.client.transport.write(message)
        assert await self.client.received(len(self.expected)) == self.expected
        assert self.client.events == ["made", "data"]


# --- damage ---------------------------------------------------------------------------------------------------------


def split(data: bytes) -> list[bytes]:
    """The records of a flight."""
    records = []
    while data:
        end = RECORD_HEADER_SIZE + int.from_bytes(data[3:RECORD_HEADER_SIZE], "big")
        records.append(data[:end])
        data = data[end:]
    return records


def flipped(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def truncated(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def cut_out(rng: random.Random, data: bytes) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 20) :]


def spliced(rng: random.Random, data: bytes) -> bytes:
    """A piece of the flight once more, anywhere."""
    start, at = rng.randrange(len(data)), rng.randrange(len(data))
    return data[:at] + data[start : start + rng.randint(1, 200)] + data[at:]


def repeated_record(rng: random.Random, data: bytes) -> bytes:
    records = split(data)
    records.insert(rng.randint(0, len(records)), rng.choice(records))
    return b"".join(records)


def shuffled_records(rng: random.Random, data: bytes) -> bytes:
    records = split(data)
    rng.shuffle(records)
    return b"".join(records)


def other_length(rng: random.Random, data: bytes) -> bytes:
    """A record whose header promises more or less than there is, up to the largest number that fits."""
    records = [bytearray(record) for record in split(data)]
    length = rng.choice([0, 1, 16384, 16385, 16384 + 256, 16384 + 257, 16384 + 2049, 65535])
    rng.choice(records)[3:RECORD_HEADER_SIZE] = length.to_bytes(2, "big")
    return b"".join(records) + (rng.randbytes(70_000) if rng.random() < 0.5 else b"")


def other_type(rng: random.Random, data: bytes) -> bytes:
    records = [bytearray(record) for record in split(data)]
    rng.choice(records)[0] = rng.choice([0, 20, 21, 22, 23, 24, 255])
    return b"".join(records)


def noise_instead(rng: random.Random, data: bytes) -> bytes:
    return rng.randbytes(len(data))


def noise_before(rng: random.Random, data: bytes) -> bytes:
    return rng.randbytes(rng.randint(1, 300)) + data


DAMAGES = [
    flipped,
    truncated,
    cut_out,
    spliced,
    repeated_record,
    shuffled_records,
    other_length,
    other_type,
    noise_instead,
    noise_before,
]


# --- handshakes -----------------------------------------------------------------------------------------------------


async def damaged_handshake(
    peer: WirePeer, rng: random.Random, damage: Callable[[random.Random, bytes], bytes]
) -> None:
    """Do the handshake with one damaged flight, which is the last that the peer sends."""
    healthy_flights = rng.randrange(2)
    send_raw = peer.send_raw
    done = False

    async def send_damaged(data: bytes) -> None:
        nonlocal healthy_flights, done
        if done:
            return
        if healthy_flights:
            healthy_flights -= 1
            await send_raw(data)
            return
        done = True
        await send_raw(damage(rng, data))
        peer.sock.shutdown(socket.SHUT_WR)

    peer.send_raw = send_damaged  # type: ignore[method-assign]
    with contextlib.suppress(ssl.SSLError, ConnectionError), peer.sock:
        await peer.handshake()
        if not done:  # the handshake has no such flight
            peer.sock.shutdown(socket.SHUT_WR)
        await peer.drain_raw()


def assert_ended(protocol: Recorder) -> None:
    """The protocol heard nothing, or the beginning and one end."""
    assert not protocol.data
    assert protocol.events in ([], ["made", "lost"], ["made", "eof", "lost"])


@pytest.mark.parametrize("version", VERSIONS)
def test_server_survives_damaged_handshakes(run: Run, loop: Loop, tls: Tls, version: ssl.TLSVersion) -> None:
    rng = random.Random(f"server {version}")
    context = tls.new_client(version)
    accepted: list[Recorder] = []

    def accept() -> Recorder:
        accepted.append(Recorder())
        return accepted[-1]

    async def main() -> None:
        server = await loop.create_server(accept, HOST, 0, ssl=tls.server)
        async with tls_pair(tls, Recorder, Echo) as pair:
            bystander = Bystander(pair.client)
            for number in range(HANDSHAKES):
                sock = socket.socket()
                sock.setblocking(False)
                await loop.sock_connect(sock, server.sockets[0].getsockname())
                await damaged_handshake(WirePeer(sock, context), rng, DAMAGES[number % len(DAMAGES)])
                await bystander.goes_on()
        for protocol in accepted:
            if protocol.events:
                await protocol.lost
        server.close()
        await server.wait_closed()

    run(main())
    assert len(accepted) == HANDSHAKES
    for protocol in accepted:
        assert_ended(protocol)
    assert len([protocol for protocol in accepted if not protocol.events]) > HANDSHAKES // 3


@pytest.mark.parametrize("version", VERSIONS)
def test_client_survives_damaged_handshakes(run: Run, loop: Loop, tls: Tls, version: ssl.TLSVersion) -> None:
    rng = random.Random(f"client {version}")
    context = tls.new_server(version)
    failures: list[OSError] = []

    async def connect(sock: socket.socket) -> None:
        protocol = Recorder()
        try:
            await loop.create_connection(lambda: protocol, sock=sock, ssl=tls.client, server_hostname="localhost")
        except (ssl.SSLError, ConnectionError) as exc:
            failures.append(exc.with_traceback(None))
        else:
            await protocol.lost
        assert_ended(protocol)

    async def main() -> None:
        async with tls_pair(tls, Recorder, Echo) as pair:
            bystander = Bystander(pair.client)
            for number in range(HANDSHAKES):
                ours, theirs = tcp_socketpair()
                peer = WirePeer(theirs, context, server_side=True)
                damage = DAMAGES[number % len(DAMAGES)]
                await asyncio.gather(connect(ours), damaged_handshake(peer, rng, damage))
                await bystander.goes_on()

    run(main())
    assert len(failures) > HANDSHAKES // 3


# --- records --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make", [server_of, client_of])
def test_damaged_records(run: Run, tls: Tls, make: Any, version: ssl.TLSVersion) -> None:
    """What was whole before the damage arrives; nothing of what comes after."""
    rng = random.Random(f"{make.__name__} {version}")
    context = (tls.new_client if make is server_of else tls.new_server)(version)
    ends: list[BaseException | None] = []

    async def one(damage: Callable[[random.Random, bytes], bytes]) -> None:
        async with make(context, tls) as (protocol, peer):
            peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            whole = rng.randbytes(rng.choice([0, 1, 1000, 40_000]))
            if whole:
                await peer.send(whole)
                await protocol.received(len(whole))  # asyncio drops what it reads together with the damage
            sizes = [rng.choice([1, 100, 16384]) for _ in range(rng.randint(2, 5))]
            pieces = [rng.randbytes(size) for size in sizes]
            damaged = damage(rng, b"".join(map(peer.record, pieces)))
            with contextlib.suppress(ConnectionError):  # it may close while this goes out
                await peer.send_raw(damaged)
                peer.sock.shutdown(socket.SHUT_WR)
            await peer.drain_raw()
            exc = await protocol.lost
            ends.append(None if exc is None else exc.with_traceback(None))
            assert protocol.data.startswith(whole)
            assert b"".join([whole, *pieces]).startswith(protocol.data)
            assert protocol.lost_count == 1
            assert protocol.events[-1] == "lost"

    async def main() -> None:
        async with tls_pair(tls, Recorder, Echo) as pair:
            bystander = Bystander(pair.client)
            for number in range(STREAMS):
                await one(DAMAGES[number % len(DAMAGES)])
                await bystander.goes_on()

    run(main())
    assert {type(exc) for exc in ends} <= {type(None), ssl.SSLError, ConnectionResetError, BrokenPipeError}
    assert len([exc for exc in ends if isinstance(exc, ssl.SSLError)]) > STREAMS // 3


def test_errors_are_those_of_the_ssl_module(run: Run, tls: Tls) -> None:
    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            await peer.send_raw(b"\x17\x03\x03\x00\x20" + bytes(32))
            exc = await protocol.lost
            assert type(exc) is ssl.SSLError
            assert exc.errno == ssl.SSL_ERROR_SSL
            assert exc.library == "SSL"
            assert exc.reason in (
                "DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
                "RECORD_LAYER_FAILURE",
            )  # the latter from 3.2 on
            assert str(exc).startswith(f"[SSL: {exc.reason}] {exc.reason.replace('_', ' ').lower()} (_ssl.c:")

    run(main())


def test_endless_record_is_not_waited_for_with_more_memory(run: Run, tls: Tls) -> None:
    """A header that promises more than a record may have is refused when it is there."""

    async def main() -> None:
        async with server_of(tls.client, tls) as (protocol, peer):
            await peer.send_raw(b"\x17\x03\x03\xff\xff")
            exc = await protocol.lost
            assert isinstance(exc, ssl.SSLError)
            assert protocol.events == ["made", "lost"]

    run(main())
