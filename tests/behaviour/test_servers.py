"""create_server and the Server object."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

from .support import HOST, Recorder, run_script, turns

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


class Accepting:
    """A protocol factory that hands out what it made."""

    def __init__(self) -> None:
        self.made: list[Recorder] = []
        self.queue: asyncio.Queue[Recorder] = asyncio.Queue()

    def __call__(self) -> Recorder:
        protocol = Recorder()
        self.made.append(protocol)
        self.queue.put_nowait(protocol)
        return protocol

    async def next(self) -> Recorder:
        protocol = await self.queue.get()
        await protocol.made
        return protocol


def test_serves_many_clients(loop: Loop, run: Run) -> None:
    async def main() -> None:
        accepting = Accepting()
        async with await loop.create_server(accepting, HOST, 0) as server:
            address = server.sockets[0].getsockname()
            clients = [socket.create_connection(address) for _ in range(50)]
            protocols = [await accepting.next() for _ in clients]
            names = {protocol.transport.get_extra_info("peername") for protocol in protocols}
            assert names == {client.getsockname() for client in clients}
            for client in clients:
                client.close()
            for protocol in protocols:
                assert await protocol.lost is None

    run(main())


@pytest.mark.uvloop_differs("makes some of the connections an iteration later")
def test_a_burst_is_accepted_at_once(loop: Loop, run: Run) -> None:
    """Beside many busy connections the listener's next turn is far away."""

    async def main() -> None:
        accepting = Accepting()
        async with await loop.create_server(accepting, HOST, 0, backlog=100) as server:
            address = server.sockets[0].getsockname()
            clients = [socket.create_connection(address) for _ in range(50)]
            await accepting.next()
            await turns()
            made = [protocol for protocol in accepting.made if protocol.made.done()]
            for client in clients:
                client.close()
            for protocol in accepting.made:
                assert await protocol.lost is None
            assert len(made) == 50

    run(main())


def test_sockets_and_states(loop: Loop, run: Run) -> None:
    async def main() -> None:
        server = await loop.create_server(asyncio.Protocol, HOST, 0)
        assert server.is_serving()
        assert server.get_loop() is loop
        (sock,) = server.sockets
        assert sock.getsockname()[0] == HOST
        server.close()
        assert not server.is_serving()
        assert not server.sockets
        server.close()
        await server.wait_closed()

    run(main())


@pytest.mark.uvloop_differs("a server of its own kind, with a list", run=False)
def test_servers_are_asyncio_servers(loop: Loop, run: Run) -> None:
    async def main() -> None:
        server = await loop.create_server(asyncio.Protocol, HOST, 0)
        assert isinstance(server, asyncio.AbstractServer)
        assert isinstance(server.sockets, tuple)
        server.close()
        assert server.sockets == ()
        await server.wait_closed()

    run(main())


def test_nobody_connects_after_close(loop: Loop, run: Run) -> None:
    async def main() -> None:
        server = await loop.create_server(asyncio.Protocol, HOST, 0)
        address = server.sockets[0].getsockname()
        server.close()
        await server.wait_closed()
        await turns()
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(asyncio.Protocol, *address)

    run(main())


def test_many_hosts(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with await loop.create_server(asyncio.Protocol, [HOST, "127.0.0.2"], 0) as server:
            assert {sock.getsockname()[0] for sock in server.sockets} == {HOST, "127.0.0.2"}
        async with await loop.create_server(asyncio.Protocol, None, 0) as server:
            assert server.sockets

    run(main())


def test_a_socket_of_ones_own(loop: Loop, run: Run) -> None:
    async def main() -> None:
        sock = socket.create_server((HOST, 0))
        accepting = Accepting()
        async with await loop.create_server(accepting, sock=sock) as server:
            with socket.create_connection(sock.getsockname()):
                protocol = await accepting.next()
            await protocol.lost
            assert server.sockets[0].fileno() == sock.fileno()

    run(main())


def test_impossible_arguments(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ValueError):
            await loop.create_server(asyncio.Protocol)  # type: ignore[call-overload]
        with socket.socket() as sock, pytest.raises(ValueError):
            await loop.create_server(asyncio.Protocol, HOST, 0, sock=sock)  # type: ignore[call-overload]
        with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(ValueError):
            await loop.create_server(asyncio.Protocol, sock=sock)
        bad: Any = True
        with pytest.raises(TypeError):
            await loop.create_server(asyncio.Protocol, HOST, 0, ssl=bad)

    run(main())


def test_address_in_use(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with await loop.create_server(asyncio.Protocol, HOST, 0) as server:
            with pytest.raises(OSError) as caught:
                await loop.create_server(asyncio.Protocol, HOST, server.sockets[0].getsockname()[1])
            assert caught.value.errno == errno.EADDRINUSE

    run(main())


def test_reuse_port(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with await loop.create_server(asyncio.Protocol, HOST, 0, reuse_port=True) as one:
            port = one.sockets[0].getsockname()[1]
            async with await loop.create_server(asyncio.Protocol, HOST, port, reuse_port=True) as two:
                assert two.sockets[0].getsockname()[1] == port

    run(main())


def test_a_restarted_server_gets_its_port_again(loop: Loop, run: Run) -> None:
    """reuse_address is the default: connections in TIME_WAIT do not keep the port."""

    async def main() -> None:
        accepting = Accepting()
        server = await loop.create_server(accepting, HOST, 0)
        address = server.sockets[0].getsockname()
        _transport, client = await loop.create_connection(Recorder, *address)
        (await accepting.next()).transport.close()  # the server closes first: TIME_WAIT stays on its side
        await client.lost
        server.close()
        await server.wait_closed()
        async with await loop.create_server(asyncio.Protocol, *address) as again:
            assert again.sockets[0].getsockname() == address

    run(main())


def test_start_serving_later(loop: Loop, run: Run) -> None:
    async def main() -> None:
        accepting = Accepting()
        server = await loop.create_server(accepting, HOST, 0, start_serving=False)
        assert not server.is_serving()
        await server.start_serving()
        await server.start_serving()
        assert server.is_serving()
        with socket.create_connection(server.sockets[0].getsockname()):
            await accepting.next()
        await accepting.made[0].lost
        server.close()
        await server.wait_closed()

    run(main())


def test_serve_forever_until_cancelled(loop: Loop, run: Run) -> None:
    async def main() -> None:
        server = await loop.create_server(asyncio.Protocol, HOST, 0, start_serving=False)
        task = asyncio.create_task(server.serve_forever())
        await turns(5)
        assert server.is_serving()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not server.is_serving()

    run(main())


@pytest.mark.uvloop_differs("serve_forever() does not end with close()", run=False)
def test_serve_forever_misused(loop: Loop, run: Run) -> None:
    async def main() -> None:
        server = await loop.create_server(asyncio.Protocol, HOST, 0)
        task = asyncio.create_task(server.serve_forever())
        await turns(5)
        with pytest.raises(RuntimeError, match="already being awaited"):
            await server.serve_forever()
        server.close()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(RuntimeError, match="is closed"):
            await server.serve_forever()

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 12, 1), reason="wait_closed() waits for connections from 3.12.1")
@pytest.mark.uvloop_differs("does not wait for connections", run=False)
def test_wait_closed_waits_for_connections(loop: Loop, run: Run) -> None:
    async def main() -> None:
        accepting = Accepting()
        server = await loop.create_server(accepting, HOST, 0)
        client = socket.create_connection(server.sockets[0].getsockname())
        protocol = await accepting.next()
        server.close()
        waiting = asyncio.create_task(server.wait_closed())
        await turns(5)
        assert not waiting.done()
        client.close()
        await waiting
        assert protocol.lost.done()

    run(main())


def test_connections_survive_the_servers_close(loop: Loop, run: Run) -> None:
    async def main() -> None:
        accepting = Accepting()
        server = await loop.create_server(accepting, HOST, 0)
        transport, client = await loop.create_connection(Recorder, *server.sockets[0].getsockname())
        protocol = await accepting.next()
        server.close()
        transport.write(b"still here")
        assert await protocol.received(10) == b"still here"
        transport.close()
        await protocol.lost
        await client.lost
        await server.wait_closed()

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 13), reason="close_clients() and abort_clients() are new in 3.13")
@pytest.mark.uvloop_differs("has neither", run=False)
@pytest.mark.parametrize("method", ["close_clients", "abort_clients"])
def test_close_and_abort_clients(loop: Loop, run: Run, method: str) -> None:
    async def main() -> None:
        accepting = Accepting()
        server = await loop.create_server(accepting, HOST, 0)
        clients = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(3)]
        for _ in clients:
            await accepting.next()
        server.close()
        getattr(server, method)()
        await server.wait_closed()
        assert all(protocol.lost.done() for protocol in accepting.made)
        for client in clients:
            client.settimeout(5)
            assert client.recv(1) == b""
            client.close()

    run(main())


@pytest.mark.uvloop_differs("its own ways", run=False)
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # asyncio forgets the accepted socket
def test_an_exception_in_the_factory_is_reported(loop: Loop, run: Run) -> None:
    reported = loop.create_future()

    def factory() -> Any:
        raise ZeroDivisionError

    async def main() -> None:
        def handler(_: Loop, context: dict[str, Any]) -> None:
            reported.set_result(context)

        loop.set_exception_handler(handler)
        loop.set_debug(True)  # asyncio is silent about it otherwise
        async with await loop.create_server(factory, HOST, 0) as server:
            with socket.create_connection(server.sockets[0].getsockname()):
                context = await reported
                assert isinstance(context["exception"], ZeroDivisionError)
                assert context["message"] == "Error on transport creation for incoming connection"

    run(main())


def test_a_burst_of_clients(loop: Loop, run: Run) -> None:
    async def main() -> None:
        accepting = Accepting()
        async with await loop.create_server(accepting, HOST, 0, backlog=100) as server:
            address = server.sockets[0].getsockname()
            pairs = await asyncio.gather(*(loop.create_connection(Recorder, *address) for _ in range(90)))
            protocols = [await accepting.next() for _ in pairs]
            for transport, _ in pairs:
                transport.close()
            for protocol in protocols:
                await protocol.lost
            for _, client in pairs:
                await client.lost

    run(main())


def test_keep_alive_and_options_reach_the_socket(loop: Loop, run: Run) -> None:
    async def main() -> None:
        async with await loop.create_server(asyncio.Protocol, HOST, 0, reuse_address=True) as server:
            assert server.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 1

    run(main())


OUT_OF_DESCRIPTORS = """
import resource, socket, logging
logging.disable(logging.CRITICAL)
loop = new_event_loop()
accepted, reports = [], []

class Protocol(asyncio.Protocol):
    def connection_made(self, transport):
        accepted.append(transport)

async def main():
    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    reported = asyncio.Event()
    def handler(loop, context):
        reports.append(context)
        reported.set()
    loop.set_exception_handler(handler)
    await loop.run_in_executor(None, int)
    clients = [socket.socket() for _ in range(10)]
    opened = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    for client in clients:
        client.setblocking(False)
        client.connect_ex(address)
    await reported.wait()
    assert len(accepted) < 10, accepted
    print(reports[0]["message"], type(reports[0]["exception"]).__name__, reports[0]["exception"].errno)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    for client in clients[:5]:
        client.close()
    while len(accepted) < 10:  # serving goes on after its pause of one second
        await asyncio.sleep(0.01)
    print("served")
    for client in clients:
        client.close()
    for transport in accepted:
        transport.abort()
    server.close()

loop.run_until_complete(main())
loop.run_until_complete(loop.shutdown_default_executor())
loop.close()
"""


@pytest.mark.uvloop_differs("reports it otherwise", run=False)
def test_out_of_descriptors_pauses_accepting(backend: Any) -> None:
    """asyncio reports EMFILE, waits ACCEPT_RETRY_DELAY and accepts again, instead of spinning."""
    out = run_script(backend, OUT_OF_DESCRIPTORS)
    assert out.splitlines() == [f"socket.accept() out of system resource OSError {errno.EMFILE}", "served"]
