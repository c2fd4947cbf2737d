"""What programs build on a loop: structured concurrency, datagrams, pipes, files and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Callable
from typing import Any, cast

import pytest
from certificates import CA

from .support import HOST, Recorder, tcp_pair, turns

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


def test_task_groups(run: Run) -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return number * 2

    async def fail() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(double(number)) for number in range(100)]
        assert [task.result() for task in tasks] == [number * 2 for number in range(100)]
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
                waiting = group.create_task(asyncio.Event().wait())
        assert isinstance(caught.value.exceptions[0], ZeroDivisionError)
        assert waiting.cancelled()

    run(main())


def test_timeouts(run: Run, loop: Loop) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.005):
                await asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout_at(loop.time()):
                await asyncio.Event().wait()
        async with asyncio.timeout(60) as scope:
            scope.reschedule(loop.time() + 120)
        assert not scope.expired()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.005)
        assert await asyncio.wait_for(asyncio.sleep(0, "in time"), 60) == "in time"

    run(main())


def test_gather_wait_and_as_completed(run: Run) -> None:
    async def main() -> None:
        assert await asyncio.gather(*(asyncio.sleep(0, number) for number in range(50))) == list(range(50))
        fast = asyncio.ensure_future(asyncio.sleep(0, "fast"))
        never = asyncio.ensure_future(asyncio.Event().wait())
        done, pending = await asyncio.wait([fast, never], return_when=asyncio.FIRST_COMPLETED)
        assert (done, pending) == ({fast}, {never})
        never.cancel()
        await asyncio.wait([never])
        delays = [0.006, 0.002, 0.004]
        seen = [await future for future in asyncio.as_completed([asyncio.sleep(delay, delay) for delay in delays])]
        assert sorted(seen) == sorted(delays)

    run(main())


def test_queues_locks_and_semaphores(run: Run) -> None:
    async def main() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=3)

        async def produce() -> None:
            for number in range(100):
                await queue.put(number)

        async def consume() -> list[int]:
            return [await queue.get() for _ in range(100)]

        _, numbers = await asyncio.gather(produce(), consume())
        assert numbers == list(range(100))

        lock, semaphore, inside = asyncio.Lock(), asyncio.Semaphore(3), 0

        async def work() -> None:
            nonlocal inside
            async with semaphore:
                inside += 1
                assert inside <= 3
                async with lock:
                    await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(work() for _ in range(20)))

    run(main())


def test_shield(run: Run) -> None:
    async def main() -> None:
        release = asyncio.Event()
        inner = asyncio.ensure_future(release.wait())
        outer = asyncio.ensure_future(asyncio.shield(inner))
        await asyncio.sleep(0)
        outer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await outer
        release.set()
        assert await inner

    run(main())


# --- datagrams and pipes --------------------------------------------------------------------------------------------


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, *, echo: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self.echo = echo
        self.received: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()
        self.lost: asyncio.Future[BaseException | None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self.echo:
            self.transport.sendto(data, addr)
        else:
            self.received.put_nowait((data, addr))

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)


def test_udp(run: Run, loop: Loop) -> None:
    async def main() -> None:
        server, echo = await loop.create_datagram_endpoint(lambda: Datagrams(echo=True), local_addr=(HOST, 0))
        address = server.get_extra_info("sockname")
        client, protocol = await loop.create_datagram_endpoint(Datagrams, remote_addr=address)
        for number in range(20):
            client.sendto(b"%d" % number)
            assert await protocol.received.get() == (b"%d" % number, address)
        client.close()
        server.close()
        assert await protocol.lost is None
        assert await echo.lost is None

    run(main())


def test_pipes(run: Run, loop: Loop) -> None:
    async def main() -> None:
        read_end, write_end = os.pipe()
        reader = asyncio.StreamReader()
        read_transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0)
        )
        write_transport, _protocol = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop=loop), os.fdopen(write_end, "wb", 0)
        )
        payload = bytes(1 << 20)
        write_transport.write(payload)
        assert await reader.readexactly(len(payload)) == payload
        write_transport.close()
        assert await reader.read() == b""
        read_transport.close()
        await turns()

    run(main())


# --- TLS ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificates() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate of its own, and a client's that trusts it."""
    authority = CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", HOST).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


Certificates = tuple[ssl.SSLContext, ssl.SSLContext]


def test_tls_streams(run: Run, certificates: Certificates) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1_000_000))
        await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def main() -> None:
        payload = os.urandom(1_000_000)
        async with await asyncio.start_server(serve, HOST, 0, ssl=certificates[0]) as server:
            reader, writer = await asyncio.open_connection(
                *server.sockets[0].getsockname(), ssl=certificates[1], server_hostname="localhost"
            )
            assert writer.get_extra_info("ssl_object").version().startswith("TLS")
            assert writer.get_extra_info("peercert")
            writer.write(payload)
            assert await reader.read() == payload
            writer.close()
            await writer.wait_closed()

    run(main())


def test_tls_refuses_an_untrusted_certificate(
    run: Run, certificates: Certificates, errors: list[dict[str, Any]]
) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            raise AssertionError("nobody should get here")

        async with await asyncio.start_server(serve, HOST, 0, ssl=certificates[0]) as server:
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.open_connection(
                    *server.sockets[0].getsockname(), ssl=ssl.create_default_context(), server_hostname="localhost"
                )
            await turns(10)
        errors.clear()  # the server's side may report the failed handshake

    run(main())


def test_start_tls(run: Run, loop: Loop, certificates: Certificates) -> None:
    async def main() -> None:
        async with tcp_pair() as pair:
            client, server = Recorder(), Recorder()
            on_server, on_client = await asyncio.gather(
                loop.start_tls(pair.server.transport, server, certificates[0], server_side=True),
                loop.start_tls(pair.client.transport, client, certificates[1], server_hostname="localhost"),
            )
            assert on_client is not None and on_server is not None
            on_client.write(b"secret")
            assert await server.received(6) == b"secret"
            on_server.write(b"answer")
            assert await client.received(6) == b"answer"
            on_client.close()
            await client.lost
            await server.lost
            for end in pair:
                end.lost.set_result(None)

    run(main())
