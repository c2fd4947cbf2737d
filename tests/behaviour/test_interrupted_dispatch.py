"""What ends the loop's run before the events that one poll fetched are handed out: none of them is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading

import pytest

from .support import Recorder, tcp_socketpair, until


class Interrupting(asyncio.Protocol):
    """Ends the loop when data comes."""

    def data_received(self, data: bytes) -> None:
        raise KeyboardInterrupt


@pytest.mark.uvloop_differs("reports the interrupt elsewhere", run=False)
def test_a_pending_read_survives_an_interrupt_before_it(loop: asyncio.AbstractEventLoop) -> None:
    interrupting, its_peer = socket.socketpair()
    reading, readings_peer = socket.socketpair()
    with its_peer, reading, readings_peer:
        for sock in (interrupting, reading):
            sock.setblocking(False)

        async def start() -> tuple[asyncio.Task[bytes], asyncio.BaseTransport]:
            pending = asyncio.create_task(loop.sock_recv(reading, 10))
            transport, _ = await loop.create_connection(Interrupting, sock=interrupting)
            await asyncio.sleep(0)
            return pending, transport

        pending, transport = loop.run_until_complete(start())
        its_peer.send(b"interrupt")
        readings_peer.send(b"data")
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(loop.create_future())
        assert loop.run_until_complete(asyncio.wait_for(pending, 10)) == b"data"
        transport.abort()
        loop.run_until_complete(asyncio.sleep(0))


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit])
def test_what_has_come_survives_an_interrupt_in_a_callback_that_was_ready(
    loop: asyncio.AbstractEventLoop, exception: type[BaseException]
) -> None:
    ours, theirs = tcp_socketpair()
    other, others_peer = tcp_socketpair()

    def end() -> None:
        raise exception

    def begin() -> None:
        theirs.send(b"data")
        others_peer.send(b"other data")
        loop.call_soon(end)

    with theirs, other, others_peer:
        transport, protocol = loop.run_until_complete(loop.create_connection(Recorder, sock=ours))
        pending = loop.create_task(loop.sock_recv(other, 100))
        loop.run_until_complete(asyncio.sleep(0))
        loop.call_soon(begin)
        with pytest.raises(exception):
            loop.run_forever()
        assert loop.run_until_complete(asyncio.wait_for(protocol.received(4), 10)) == b"data"
        assert loop.run_until_complete(asyncio.wait_for(pending, 10)) == b"other data"
        transport.abort()
        loop.run_until_complete(protocol.lost)


@pytest.mark.only_on("jvloop")  # asyncio's own Python code may have received the data when the signal's handler runs
def test_what_has_come_survives_a_signal_that_ends_the_wait(loop: asyncio.AbstractEventLoop) -> None:
    """Which of the two the loop sees first is left to chance, in each of the attempts."""
    received = bytearray()
    ours, theirs = tcp_socketpair()
    with theirs:
        transport, protocol = loop.run_until_complete(loop.create_connection(Recorder, sock=ours))
        # No Python function, in which the handler might run.
        protocol.data_received = received.extend  # type: ignore[method-assign, assignment]
        handler = signal.signal(signal.SIGUSR1, lambda *_: interrupt())
        try:
            for count in range(1, 51):
                asleep = threading.Event()

                def disturb(asleep: threading.Event) -> None:
                    asleep.wait()
                    theirs.send(b"x")
                    os.kill(os.getpid(), signal.SIGUSR1)

                thread = threading.Thread(target=disturb, args=(asleep,))
                thread.start()
                loop.call_soon(asleep.set)
                with pytest.raises(KeyboardInterrupt):
                    loop.run_forever()
                thread.join()
                loop.run_until_complete(asyncio.wait_for(until(lambda size=count: len(received) == size), 10))
        finally:
            signal.signal(signal.SIGUSR1, handler)
        transport.abort()
        loop.run_until_complete(protocol.lost)
