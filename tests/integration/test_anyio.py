"""anyio on its asyncio backend."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest
from anyio.abc import SocketStream, TaskStatus
from anyio.streams.tls import TLSListener, TLSStream

from .conftest import WITHIN_SECONDS, Tls

HOST = "127.0.0.1"

RunAnyio = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture
def run_anyio(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> RunAnyio:
    """Runs a function with anyio.run() on a loop of this kind."""

    def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        async def in_time() -> Any:
            with anyio.fail_after(WITHIN_SECONDS):
                return await main()

        return anyio.run(in_time, backend="asyncio", backend_options={"loop_factory": loop_factory})

    return run


def test_task_group_cancels_its_siblings_on_an_error(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        cancelled = []

        async def sleeper(number: int, task_status: TaskStatus[None]) -> None:
            task_status.started()
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.append(number)

        async def failer() -> None:
            raise ZeroDivisionError

        async def all_together() -> None:
            async with anyio.create_task_group() as tasks:
                for number in range(10):
                    await tasks.start(sleeper, number)
                tasks.start_soon(failer)

        with pytest.raises(BaseExceptionGroup) as group:
            await all_together()
        assert [type(error) for error in group.value.exceptions] == [ZeroDivisionError]
        assert sorted(cancelled) == list(range(10))

    run_anyio(main)


def test_cancel_scopes_and_deadlines(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        begun_seconds = anyio.current_time()
        with anyio.move_on_after(0.05) as scope:
            await anyio.sleep_forever()
        assert scope.cancelled_caught
        # uvloop counts whole milliseconds and may be early by one.
        assert anyio.current_time() - begun_seconds >= 0.049
        with pytest.raises(TimeoutError):
            with anyio.fail_after(0.01):
                await anyio.sleep_forever()
        with anyio.move_on_after(0.01) as outer:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.03)
            await anyio.sleep_forever()
        assert outer.cancelled_caught

    run_anyio(main)


def test_memory_stream_between_tasks(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        send, receive = anyio.create_memory_object_stream[int](5)
        got: list[int] = []

        async def producer() -> None:
            async with send:
                for number in range(1000):
                    await send.send(number)

        async with anyio.create_task_group() as tasks, receive:
            tasks.start_soon(producer)
            got += [number async for number in receive]
        assert got == list(range(1000))

    run_anyio(main)


async def echo(stream: SocketStream | TLSStream) -> None:
    async with stream:
        async for chunk in stream:
            await stream.send(chunk)


async def receive_exactly(stream: Any, size: int) -> bytes:
    got = b""
    while len(got) < size:
        got += await stream.receive()
    return got


def test_tcp_listener_and_many_streams(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        listener = await anyio.create_tcp_listener(local_host=HOST)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)

        async def client(number: int) -> None:
            payload = bytes([number]) * 100_000
            async with await anyio.connect_tcp(HOST, port) as stream:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(stream.send, payload)
                    assert await receive_exactly(stream, len(payload)) == payload
                await stream.send_eof()
                with pytest.raises(anyio.EndOfStream):
                    await stream.receive()

        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, echo)
            async with anyio.create_task_group() as clients:
                for number in range(40):
                    clients.start_soon(client, number)
            tasks.cancel_scope.cancel()

    run_anyio(main)


def test_stream_errors(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        listener = await anyio.create_tcp_listener(local_host=HOST)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with listener:
            stream = await anyio.connect_tcp(HOST, port)
            async with anyio.create_task_group() as tasks:

                async def closed_under_the_receiver() -> None:
                    with pytest.raises(anyio.ClosedResourceError):
                        await stream.receive()

                tasks.start_soon(closed_under_the_receiver)
                await anyio.wait_all_tasks_blocked()
                with pytest.raises(anyio.BusyResourceError):
                    await stream.receive()
                await stream.aclose()
            with pytest.raises(anyio.ClosedResourceError):
                await stream.send(b"x")
        with pytest.raises(OSError, match="All connection attempts failed"):
            await anyio.connect_tcp(HOST, port)

    run_anyio(main)


def test_unix_listener(run_anyio: RunAnyio, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "echo.sock"
        async with await anyio.create_unix_listener(path, mode=0o600) as listener:
            assert path.stat().st_mode & 0o777 == 0o600
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(listener.serve, echo)
                async with await anyio.connect_unix(path) as stream:
                    await stream.send(b"hello")
                    assert await receive_exactly(stream, 5) == b"hello"
                tasks.cancel_scope.cancel()

    run_anyio(main)


def test_unix_stream_passes_file_descriptors(run_anyio: RunAnyio, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "fds.sock"

        async def hand_over(stream: Any) -> None:
            async with stream:
                reading, writing = os.pipe()
                os.write(writing, b"through the pipe")
                os.close(writing)
                await stream.send_fds(b"x", [reading])
                os.close(reading)

        async with await anyio.create_unix_listener(path) as listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, hand_over)
            async with await anyio.connect_unix(path) as stream:
                message, fds = await stream.receive_fds(1, 1)
                with os.fdopen(fds[0], "rb") as pipe:
                    assert (message, pipe.read()) == (b"x", b"through the pipe")
            tasks.cancel_scope.cancel()

    run_anyio(main)


def test_udp_sockets(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        async with await anyio.create_udp_socket(family=socket.AF_INET, local_host=HOST) as server:
            port = server.extra(anyio.abc.SocketAttribute.local_port)
            async with await anyio.create_connected_udp_socket(HOST, port) as client:
                for number in range(20):
                    await client.send(b"packet %d" % number)
                    packet, peer = await server.receive()
                    await server.sendto(packet.upper(), *peer)
                    assert await client.receive() == b"PACKET %d" % number

    run_anyio(main)


def test_tls_stream(run_anyio: RunAnyio, tls: Tls) -> None:
    async def main() -> None:
        tcp_listener = await anyio.create_tcp_listener(local_host=HOST)
        port = tcp_listener.extra(anyio.abc.SocketAttribute.local_port)
        async with TLSListener(tcp_listener, tls.server) as listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, echo)
            async with await anyio.connect_tcp(
                HOST, port, tls_hostname="localhost", ssl_context=tls.client, tls_standard_compatible=True
            ) as stream:
                payload = bytes(range(256)) * 1000
                await stream.send(payload)
                assert await receive_exactly(stream, len(payload)) == payload
            tasks.cancel_scope.cancel()

    run_anyio(main)


def test_work_in_threads_and_back(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        loop_thread = threading.get_ident()
        event = anyio.Event()

        async def on_the_loop(number: int) -> int:
            assert threading.get_ident() == loop_thread
            return number * 2

        def in_a_thread(number: int) -> int:
            assert threading.get_ident() != loop_thread
            doubled = anyio.from_thread.run(on_the_loop, number)
            anyio.from_thread.run_sync(event.set)
            return doubled

        results: dict[int, int] = {}

        async def one(number: int) -> None:
            results[number] = await anyio.to_thread.run_sync(in_a_thread, number)

        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(one, number)
        await event.wait()
        assert results == {number: number * 2 for number in range(50)}

    run_anyio(main)


def test_blocking_portal(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def double(number: int) -> int:
        await anyio.lowlevel.checkpoint()
        return number * 2

    async def loop_type() -> type:
        return type(asyncio.get_running_loop())

    with anyio.from_thread.start_blocking_portal("asyncio", {"loop_factory": loop_factory}) as portal:
        futures = [portal.start_task_soon(double, number) for number in range(200)]
        assert [future.result(20) for future in futures] == [number * 2 for number in range(200)]
        probe = loop_factory()
        probe.close()
        assert portal.call(loop_type) is type(probe)


def test_signal_receiver(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        with anyio.open_signal_receiver(signal.SIGUSR1, signal.SIGTERM) as signals:
            os.kill(os.getpid(), signal.SIGTERM)
            assert await anext(signals) == signal.SIGTERM
            os.kill(os.getpid(), signal.SIGUSR1)
            assert await anext(signals) == signal.SIGUSR1

    run_anyio(main)


def test_processes(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        script = "import sys; print(sys.stdin.read().upper(), end=''); sys.exit(3)"
        result = await anyio.run_process([sys.executable, "-c", script], input=b"quiet", check=False)
        assert (result.stdout, result.returncode) == (b"QUIET", 3)
        async with await anyio.open_process([sys.executable, "-c", "import sys; sys.stdin.read()"]) as process:
            with anyio.move_on_after(0.05) as scope:
                await process.wait()
            assert scope.cancelled_caught
            process.terminate()
            assert await process.wait() == -signal.SIGTERM

    run_anyio(main)


def test_wait_readable_and_writable(run_anyio: RunAnyio) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            await anyio.wait_writable(ours)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anyio.wait_readable, ours)
                await anyio.wait_all_tasks_blocked()
                theirs.send(b"x")
            assert ours.recv(10) == b"x"

    run_anyio(main)
