"""loop.sock_*: the eight operations on the program's own sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import pytest

from .support import HOST, socketpair, tcp_socketpair, turns, unused_port

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]
DATAGRAM = pytest.param("sock_recvfrom", marks=pytest.mark.uvloop_differs("no datagram operations", run=False))


def udp_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HOST, 0))
    sock.setblocking(False)
    return sock


@pytest.mark.uvloop_differs("refuses at once")
def test_recv_what_is_there_by_a_closed_loop(loop_factory: Callable[[], Loop]) -> None:
    closed = loop_factory()
    closed.close()

    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            theirs.send(b"there")
            assert await closed.sock_recv(ours, 100) == b"there"
            with pytest.raises(RuntimeError, match="closed"):
                await closed.sock_recv(ours, 100)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())


def test_recv_what_is_there_and_what_comes(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            theirs.send(b"there")
            assert await loop.sock_recv(ours, 100) == b"there"
            waiting = asyncio.create_task(loop.sock_recv(ours, 100))
            await turns()
            theirs.send(b"comes")
            assert await waiting == b"comes"
            theirs.send(b"abcdef")
            assert await loop.sock_recv(ours, 3) == b"abc"
            assert await loop.sock_recv(ours, 3) == b"def"
            theirs.close()
            assert await loop.sock_recv(ours, 3) == b""

    run(main())


async def arrive(loop: Loop, ours: socket.socket, theirs: socket.socket, data: bytes) -> None:
    """Receives data that a task has waited for: the loop has watched the socket then, and found it emptied."""
    waiting = asyncio.create_task(loop.sock_recv(ours, 100))
    await turns()
    theirs.send(data)
    assert await waiting == data


def test_recv_of_what_came_since_the_last_one(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:

            async def exchange() -> None:
                for number in range(20):
                    theirs.send(b"%d" % number)
                    assert await loop.sock_recv(ours, 100) == b"%d" % number
                theirs.send(b"last")
                theirs.close()
                assert await loop.sock_recv(ours, 100) == b"last"
                assert await loop.sock_recv(ours, 100) == b""

            await arrive(loop, ours, theirs, b"first")
            await asyncio.wait_for(exchange(), 10)

    run(main())


def test_recv_of_what_others_leave(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            await arrive(loop, ours, theirs, b"first")
            theirs.send(b"abc")
            assert ours.recv(1) == b"a"
            assert await loop.sock_recv(ours, 1) == b"b"
            assert ours.recv(1) == b"c"
            waiting = asyncio.create_task(loop.sock_recv(ours, 100))
            await turns()
            assert not waiting.done()
            theirs.send(b"next")
            assert await waiting == b"next"

    run(main())


def test_recv_of_urgent_data_and_what_follows(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
            await arrive(loop, ours, theirs, b"first")
            theirs.send(b"before")
            theirs.send(b"!", socket.MSG_OOB)
            theirs.send(b"behind")
            received = b""
            while len(received) < 13:
                received += await asyncio.wait_for(loop.sock_recv(ours, 100), 10)
            assert received == b"before!behind"

    run(main())


def test_recv_by_a_socket_with_the_number_of_a_closed_one(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with theirs:
            await arrive(loop, ours, theirs, b"first")
            number = ours.fileno()
            ours.close()
            again, other = socketpair()
            with again, other:
                assert number in (again.fileno(), other.fileno())
                receiver, sender = (again, other) if again.fileno() == number else (other, again)
                waiting = asyncio.create_task(asyncio.wait_for(loop.sock_recv(receiver, 100), 10))
                await turns()
                sender.send(b"second")
                assert await waiting == b"second"

    run(main())


@pytest.mark.parametrize("at_most", [1 << 16, 1 << 18, 1 << 20])
def test_recv_of_large_and_small_messages(loop: Loop, run: Run, at_most: int) -> None:
    sizes = [102_400, 100_000, 40_000, 100_000, 1, 262_144, 5, 0, 65_536, 65_536, 300_000, 300_000, 20_000]
    messages = [bytes([number]) * size for number, size in enumerate(sizes)]

    async def receive(sock: socket.socket) -> None:
        kept: list[bytes] = []
        for message in messages:
            while sum(map(len, kept)) < len(message):
                kept.append(await loop.sock_recv(sock, min(at_most, len(message) - sum(map(len, kept)))))
                assert type(kept[-1]) is bytes
            assert b"".join(kept) == message
            kept.clear()
        assert await loop.sock_recv(sock, at_most) == b""

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs:
            receiving = asyncio.create_task(receive(ours))
            for message in messages:
                await loop.sock_sendall(theirs, message)
                await turns()
            theirs.shutdown(socket.SHUT_WR)
            await asyncio.wait_for(receiving, 30)

    run(main())


def test_what_is_received_large_is_kept_as_it_is(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs:
            kept = []
            for number in range(8):
                waiting = asyncio.create_task(loop.sock_recv(ours, 1 << 18))
                await loop.sock_sendall(theirs, bytes([number]) * 60_000)
                kept.append(await waiting)
            assert [set(data) for data in kept] == [{number} for number in range(8)]

    run(main())


class OwnSocket(socket.socket):
    pass


def test_sockets_of_a_class_of_the_programs_own(loop: Loop, run: Run) -> None:
    async def main() -> None:
        one, two = (OwnSocket(fileno=end.detach()) for end in socketpair())
        with one, two:
            one.setblocking(False)
            two.setblocking(False)
            waiting = asyncio.create_task(loop.sock_recv(one, 100))
            await turns()
            await loop.sock_sendall(two, b"hello")
            assert await waiting == b"hello"

    run(main())


@pytest.mark.uvloop_differs("takes a negative count, and never returns", run=False)
@pytest.mark.parametrize(("count", "error"), [(-1, ValueError), ("10", TypeError), (None, TypeError), (1.5, TypeError)])
def test_recv_of_no_count(loop: Loop, run: Run, count: Any, error: type[Exception]) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs, pytest.raises(error):
            await loop.sock_recv(ours, count)

    run(main())


def test_recv_and_send_by_a_closed_socket(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with theirs:
            await arrive(loop, ours, theirs, b"first")
            ours.close()
            with pytest.raises((OSError, ValueError)):
                await loop.sock_recv(ours, 100)
            with pytest.raises((OSError, ValueError)):
                await loop.sock_sendall(ours, b"x")

    run(main())


def test_recv_into(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            buffer = bytearray(10)
            theirs.send(b"there")
            assert await loop.sock_recv_into(ours, buffer) == 5
            assert buffer[:5] == b"there"
            waiting = asyncio.create_task(loop.sock_recv_into(ours, memoryview(buffer)[5:]))
            await turns()
            theirs.send(b"comes")
            assert await waiting == 5
            assert buffer == b"therecomes"
            theirs.close()
            assert await loop.sock_recv_into(ours, buffer) == 0

    run(main())


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_sendall_of_more_than_fits(loop: Loop, run: Run, kind: Callable[[bytes], Any]) -> None:
    payload = bytes(range(256)) * 16384

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs:
            sending = asyncio.create_task(loop.sock_sendall(ours, kind(payload)))
            received = bytearray()
            while len(received) < len(payload):
                received += await loop.sock_recv(theirs, 1 << 20)
            assert await sending is None  # type: ignore[func-returns-value]
            assert received == payload

    run(main())


def test_sendall_of_nothing(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            await loop.sock_sendall(ours, b"")

    run(main())


def test_sendall_to_a_closed_peer(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            theirs.close()
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                await loop.sock_sendall(ours, b"x" * 10)

    run(main())


def test_sendall_of_text_is_a_type_error(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            bad: Any = "text"
            with pytest.raises(TypeError):
                await loop.sock_sendall(ours, bad)

    run(main())


def test_accept_and_connect(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with socket.create_server((HOST, 0)) as listener, socket.socket() as client:
            listener.setblocking(False)
            client.setblocking(False)
            accepting = asyncio.create_task(loop.sock_accept(listener))
            await turns()
            assert await loop.sock_connect(client, listener.getsockname()) is None  # type: ignore[func-returns-value]
            server, address = await accepting
            with server:
                assert address == client.getsockname()
                assert server.gettimeout() == 0
                await loop.sock_sendall(client, b"hello")
                assert await loop.sock_recv(server, 10) == b"hello"

    run(main())


def test_accept_what_already_waits(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with socket.create_server((HOST, 0)) as listener:
            listener.setblocking(False)
            with socket.create_connection(listener.getsockname()) as client:
                server, address = await loop.sock_accept(listener)
                assert address == client.getsockname()
                server.close()

    run(main())


def test_connect_refused(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with socket.socket() as sock:
            sock.setblocking(False)
            with pytest.raises(ConnectionRefusedError):
                await loop.sock_connect(sock, (HOST, unused_port()))

    run(main())


def test_connect_by_name(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with socket.create_server((HOST, 0)) as listener, socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, ("localhost", listener.getsockname()[1]))
            assert client.getpeername() == listener.getsockname()

    run(main())


@pytest.mark.uvloop_differs("no datagram operations", run=False)
def test_datagrams(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with udp_socket() as one, udp_socket() as two:
            assert await loop.sock_sendto(one, b"hello", two.getsockname()) == 5
            assert await loop.sock_recvfrom(two, 100) == (b"hello", one.getsockname())
            waiting = asyncio.create_task(loop.sock_recvfrom(one, 3))
            await turns()
            await loop.sock_sendto(two, b"longer", one.getsockname())
            assert await waiting == (b"lon", two.getsockname())
            buffer = bytearray(10)
            await loop.sock_sendto(one, b"into", two.getsockname())
            assert await loop.sock_recvfrom_into(two, buffer) == (4, one.getsockname())
            assert buffer[:4] == b"into"
            waiting_into = asyncio.create_task(loop.sock_recvfrom_into(two, buffer, 2))
            await turns()
            await loop.sock_sendto(one, b"xyz", two.getsockname())
            assert await waiting_into == (2, one.getsockname())
            assert buffer[:4] == b"xyto"

    run(main())


@pytest.mark.uvloop_differs("no datagram operations", run=False)
def test_recvfrom_into_more_than_the_buffer_holds(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with udp_socket() as one, pytest.raises(ValueError):
            await asyncio.wait_for(loop.sock_recvfrom_into(one, bytearray(2), 10), 5)

    run(main())


@pytest.mark.parametrize("operation", ["sock_recv", "sock_recv_into", "sock_accept", DATAGRAM])
def test_cancelling_leaves_the_socket_usable(loop: Loop, run: Run, operation: str) -> None:
    async def main() -> None:
        with contextlib.ExitStack() as stack:
            sender: socket.socket | None = None
            if operation == "sock_accept":
                sock = stack.enter_context(socket.create_server((HOST, 0)))
                sock.setblocking(False)
            elif operation == "sock_recvfrom":
                sock, sender = stack.enter_context(udp_socket()), stack.enter_context(udp_socket())
            else:
                sock, sender = (stack.enter_context(end) for end in socketpair())
            args: dict[str, tuple[Any, ...]] = {"sock_recv_into": (bytearray(10),), "sock_accept": ()}
            for _ in range(3):
                task = asyncio.create_task(getattr(loop, operation)(sock, *args.get(operation, (10,))))
                await turns()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            if operation == "sock_accept":
                client = stack.enter_context(socket.create_connection(sock.getsockname()))
                accepted, address = await loop.sock_accept(sock)
                accepted.close()
                assert address == client.getsockname()
            else:
                assert sender is not None
                if operation == "sock_recvfrom":
                    sender.sendto(b"data", sock.getsockname())
                else:
                    sender.send(b"data")
                assert await loop.sock_recv(sock, 10) == b"data"

    run(main())


def test_cancelling_sendall_stops_watching_for_room(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            task = asyncio.create_task(loop.sock_sendall(ours, bytes(1 << 24)))
            await turns()
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not loop.remove_writer(ours)

    run(main())


def test_cancelling_connect(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with socket.create_server((HOST, 0), backlog=0) as listener, contextlib.ExitStack() as stack:
            pending: list[asyncio.Task[None]] = []
            for _ in range(8):  # more than the backlog takes, so that some stay in SYN_SENT
                sock = stack.enter_context(socket.socket())
                sock.setblocking(False)
                pending.append(asyncio.create_task(loop.sock_connect(sock, listener.getsockname())))
            await turns(10)
            assert not all(task.done() for task in pending)
            for task in pending:
                task.cancel()
            results = await asyncio.gather(*pending, return_exceptions=True)
            assert any(isinstance(result, asyncio.CancelledError) for result in results)

    run(main())


def test_timeouts(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        with ours, theirs:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await loop.sock_recv(ours, 10)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.sock_recv(ours, 10), 0.01)
            theirs.send(b"later")
            assert await loop.sock_recv(ours, 10) == b"later"

    run(main())


@pytest.mark.parametrize(
    ("operation", "args"),
    [
        ("sock_recv", (10,)),
        ("sock_recv_into", (bytearray(10),)),
        ("sock_sendall", (b"x",)),
        ("sock_connect", ((HOST, 1),)),
        ("sock_accept", ()),
        pytest.param("sock_recvfrom", (10,), marks=pytest.mark.uvloop_differs("no datagram operations", run=False)),
        pytest.param(
            "sock_recvfrom_into", (bytearray(1),), marks=pytest.mark.uvloop_differs("no datagram operations", run=False)
        ),
        pytest.param(
            "sock_sendto", (b"x", (HOST, 1)), marks=pytest.mark.uvloop_differs("no datagram operations", run=False)
        ),
    ],
)
def test_blocking_sockets_are_refused_in_debug_mode(
    loop: Loop, run: Run, operation: str, args: tuple[Any, ...]
) -> None:
    loop.set_debug(True)

    async def main() -> None:
        with socket.socket() as sock, pytest.raises(ValueError, match="non-blocking"):
            await getattr(loop, operation)(sock, *args)

    run(main())


def test_both_directions_of_one_socket_at_once(loop: Loop, run: Run) -> None:
    payload = bytes(3_000_000)

    async def receive(sock: socket.socket) -> int:
        total = 0
        while total < len(payload):
            total += len(await loop.sock_recv(sock, 1 << 16))
        return total

    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with ours, theirs:
            results = await asyncio.gather(
                loop.sock_sendall(ours, payload),
                loop.sock_sendall(theirs, payload),
                receive(ours),
                receive(theirs),
            )
            assert results == [None, None, len(payload), len(payload)]  # type: ignore[comparison-overlap]

    run(main())


def test_the_socket_of_a_transport_is_refused(loop: Loop, run: Run) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
            with pytest.raises(RuntimeError, match="is used by transport"):
                await loop.sock_recv(ours, 10)
            transport.abort()
            await turns()

    run(main())


def test_recv_takes_the_place_of_a_reader(loop: Loop, run: Run) -> None:
    async def main() -> None:
        seen: list[int] = []
        ours, theirs = socketpair()
        with ours, theirs:
            loop.add_reader(ours, seen.append, 1)
            waiting = asyncio.create_task(loop.sock_recv(ours, 100))
            await turns()
            theirs.send(b"x")
            assert await waiting == b"x"
            assert seen == []
            assert not loop.remove_reader(ours)

    run(main())


@pytest.mark.uvloop_differs("makes its futures itself")
def test_recv_waits_on_a_future_of_the_loops_own(backend: Any) -> None:
    with contextlib.closing(backend.new_loop()) as plain:

        class Loop(type(plain)):  # type: ignore[misc]
            made = 0

            def create_future(self) -> asyncio.Future[Any]:
                self.made += 1
                return super().create_future()  # type: ignore[no-any-return]

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        ours, theirs = socketpair()
        with ours, theirs:
            before = loop.made
            waiting = asyncio.create_task(loop.sock_recv(ours, 100))
            await turns()
            assert loop.made == before + 1
            theirs.send(b"x")
            assert await waiting == b"x"

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main())


def test_echo_server_on_sock_methods(loop: Loop, run: Run) -> None:
    async def serve(listener: socket.socket, count: int) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                sock, _ = await loop.sock_accept(listener)
                group.create_task(echo(sock))

    async def echo(sock: socket.socket) -> None:
        with sock:
            while data := await loop.sock_recv(sock, 4096):
                await loop.sock_sendall(sock, data)

    async def client(address: Any) -> None:
        with socket.socket() as sock:
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
            for number in range(20):
                message = f"message {number}".encode()
                await loop.sock_sendall(sock, message)
                assert await loop.sock_recv(sock, 100) == message

    async def main() -> None:
        with socket.create_server((HOST, 0)) as listener:
            listener.setblocking(False)
            async with asyncio.TaskGroup() as group:
                group.create_task(serve(listener, 10))
                for _ in range(10):
                    group.create_task(client(listener.getsockname()))

    run(main())
