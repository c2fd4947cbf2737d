"""add_reader and add_writer: any pollable descriptor, and what asyncio says to the others."""

from __future__ import annotations

import asyncio
import contextvars
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from .support import socketpair, tcp_socketpair

Loop = asyncio.AbstractEventLoop


def test_a_reader_is_called_when_there_is_something_to_read(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        seen: list[bytes] = []

        def readable(sock: socket.socket) -> None:
            seen.append(sock.recv(100))
            loop.stop()

        loop.add_reader(ours, readable, ours)
        loop.call_soon(theirs.send, b"one")
        loop.run_forever()
        loop.call_soon(theirs.send, b"two")
        loop.run_forever()
        assert seen == [b"one", b"two"]
        loop.remove_reader(ours)


@pytest.mark.uvloop_differs("returns None")
def test_removing_says_if_there_was_one(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        assert (loop.remove_reader(ours), loop.remove_writer(ours)) == (False, False)
        loop.add_reader(ours, print)
        assert (loop.remove_writer(ours), loop.remove_reader(ours), loop.remove_reader(ours)) == (False, True, False)
        loop.add_writer(ours, print)
        assert (loop.remove_reader(ours), loop.remove_writer(ours), loop.remove_writer(ours)) == (False, True, False)


def test_readers_are_level_triggered(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        seen: list[bytes] = []

        def readable() -> None:
            seen.append(ours.recv(1))
            if len(seen) == 3:
                loop.stop()

        theirs.send(b"abc")
        loop.add_reader(ours.fileno(), readable)
        loop.run_forever()
        loop.remove_reader(ours.fileno())
        assert seen == [b"a", b"b", b"c"]


def test_a_writer_is_called_while_there_is_room(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        calls: list[int] = []

        def writable() -> None:
            calls.append(1)
            if len(calls) == 3:
                loop.remove_writer(ours)
                loop.stop()

        loop.add_writer(ours, writable)
        loop.run_forever()
        assert len(calls) == 3


def test_reader_and_writer_on_one_descriptor(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        seen: list[str] = []

        def writable() -> None:
            seen.append("writable")
            loop.remove_writer(ours)
            theirs.send(b"x")

        def readable() -> None:
            seen.append("readable")
            loop.remove_reader(ours)
            loop.stop()

        loop.add_reader(ours, readable)
        loop.add_writer(ours, writable)
        loop.run_forever()
        assert seen == ["writable", "readable"]


def test_adding_again_replaces_the_callback(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        seen: list[str] = []
        loop.add_reader(ours, seen.append, "old")
        loop.add_reader(ours, lambda: (seen.append("new"), loop.remove_reader(ours), loop.stop()))  # type: ignore[func-returns-value]
        theirs.send(b"x")
        loop.run_forever()
        assert seen == ["new"]


def test_a_removed_reader_is_not_called_even_if_ready(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        other, far = socketpair()
        with other, far:
            seen: list[str] = []

            def only_one(name: str) -> None:
                seen.append(name)
                loop.remove_reader(ours)
                loop.remove_reader(other)
                loop.call_soon(loop.stop)

            theirs.send(b"x")
            far.send(b"x")
            loop.add_reader(ours, only_one, "ours")
            loop.add_reader(other, only_one, "other")
            loop.run_forever()
            assert len(seen) == 1


def test_pipes(loop: Loop) -> None:
    read_end, write_end = os.pipe()
    seen: list[bytes] = []

    def readable() -> None:
        seen.append(os.read(read_end, 10))
        loop.remove_reader(read_end)
        loop.stop()

    loop.add_reader(read_end, readable)
    loop.add_writer(write_end, lambda: (os.write(write_end, b"pipe"), loop.remove_writer(write_end)))
    loop.run_forever()
    os.close(read_end)
    os.close(write_end)
    assert seen == [b"pipe"]


def test_the_reader_of_a_pipe_whose_writer_closed_is_called(loop: Loop) -> None:
    read_end, write_end = os.pipe()
    seen: list[bytes] = []

    def readable() -> None:
        seen.append(os.read(read_end, 10))
        loop.remove_reader(read_end)
        loop.stop()

    loop.add_reader(read_end, readable)
    loop.call_soon(os.close, write_end)
    loop.run_forever()
    os.close(read_end)
    assert seen == [b""]


def test_the_writer_of_a_pipe_whose_reader_closed_is_called(loop: Loop) -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    while True:
        try:
            os.write(write_end, bytes(65536))
        except BlockingIOError:
            break

    def writable() -> None:
        loop.remove_writer(write_end)
        loop.stop()

    loop.add_writer(write_end, writable)
    loop.call_soon(os.close, read_end)
    loop.run_forever()
    with pytest.raises(BrokenPipeError):
        os.write(write_end, b"x")
    os.close(write_end)


def test_eventfd(loop: Loop) -> None:
    fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    seen: list[int] = []

    def readable() -> None:
        seen.append(os.eventfd_read(fd))
        loop.stop()

    loop.add_reader(fd, readable)
    loop.call_soon(os.eventfd_write, fd, 7)
    loop.run_forever()
    loop.remove_reader(fd)
    os.close(fd)
    assert seen == [7]


def test_objects_with_fileno(loop: Loop) -> None:
    class Wrapper:
        def __init__(self, fd: int) -> None:
            self.fd = fd

        def fileno(self) -> int:
            return self.fd

    ours, theirs = socketpair()
    with ours, theirs:
        wrapper = Wrapper(ours.fileno())
        loop.add_reader(wrapper, loop.stop)
        theirs.send(b"x")
        loop.run_forever()
        loop.remove_reader(ours.fileno())


BAD_FDS: list[Any] = [-1, "socket", None, 1.5, object(), b"1"]


@pytest.mark.parametrize("bad", BAD_FDS, ids=[type(bad).__name__ for bad in BAD_FDS])
@pytest.mark.parametrize("method", ["add_reader", "add_writer"])
@pytest.mark.uvloop_differs("other exceptions", run=False)
def test_what_is_no_descriptor(loop: Loop, bad: Any, method: str) -> None:
    with pytest.raises(ValueError, match="Invalid file"):
        getattr(loop, method)(bad, print)


@pytest.mark.parametrize("bad", [-1, None, "socket"], ids=["negative", "None", "str"])
@pytest.mark.parametrize("method", ["remove_reader", "remove_writer"])
@pytest.mark.uvloop_differs("other exceptions", run=False)
def test_removing_what_is_no_descriptor(loop: Loop, bad: Any, method: str) -> None:
    with pytest.raises(ValueError, match="Invalid file"):
        getattr(loop, method)(bad)


@pytest.mark.uvloop_differs("other exceptions")
def test_removing_what_was_never_added(loop: Loop) -> None:
    assert loop.remove_reader(12345) is False
    assert loop.remove_writer(12345) is False


def test_a_regular_file_cannot_be_polled(loop: Loop, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        with pytest.raises(PermissionError):
            loop.add_writer(file, print)
        with pytest.raises(PermissionError):
            loop.add_reader(file, print)


@pytest.mark.uvloop_differs("libuv aborts or accepts", run=False)
def test_a_closed_descriptor_cannot_be_polled(loop: Loop) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    os.close(write_end)
    with pytest.raises(OSError, match="Bad file descriptor"):
        loop.add_reader(read_end, print)


def test_not_on_a_closed_loop(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        loop.add_reader(ours, print)
        loop.close()
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            loop.add_reader(ours, print)
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            loop.add_writer(ours, print)
        assert ours.fileno() != -1


@pytest.mark.uvloop_differs("raises RuntimeError")
def test_removing_from_a_closed_loop(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        loop.close()
        assert loop.remove_reader(ours) is False
        assert loop.remove_writer(ours) is False


@pytest.mark.parametrize("method", ["add_reader", "add_writer", "remove_reader", "remove_writer"])
def test_the_descriptor_of_a_transport_is_refused(loop: Loop, method: str) -> None:
    async def main() -> None:
        ours, theirs = tcp_socketpair()
        with theirs:
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
            with pytest.raises(RuntimeError, match="is used by transport"):
                getattr(loop, method)(ours, *((print,) if method.startswith("add") else ()))
            transport.abort()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    loop.run_until_complete(main())


def test_exceptions_go_to_the_handler_and_the_reader_stays(loop: Loop, errors: list[dict[str, Any]]) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        calls: list[int] = []

        def readable() -> None:
            calls.append(1)
            if len(calls) == 3:
                loop.remove_reader(ours)
                loop.stop()
            raise ZeroDivisionError

        theirs.send(b"x")
        loop.add_reader(ours, readable)
        loop.run_forever()
    assert len(calls) == 3
    assert [type(context["exception"]) for context in errors] == [ZeroDivisionError] * 3
    assert all("Exception in callback" in context["message"] for context in errors)
    errors.clear()


def test_readers_run_in_the_context_they_were_added_in(loop: Loop) -> None:
    var = contextvars.ContextVar("var", default="outside")
    ours, theirs = socketpair()
    with ours, theirs:
        seen: list[str] = []
        token = var.set("adding")
        loop.add_reader(ours, lambda: (seen.append(var.get()), loop.remove_reader(ours), loop.stop()))  # type: ignore[func-returns-value]
        var.reset(token)
        theirs.send(b"x")
        loop.run_forever()
        assert seen == ["adding"]


def test_a_socket_closed_after_removal_may_be_reused(loop: Loop) -> None:
    for _ in range(20):
        ours, theirs = socketpair()
        with ours, theirs:
            loop.add_reader(ours, loop.stop)
            theirs.send(b"x")
            loop.run_forever()
            loop.remove_reader(ours)


def test_many_descriptors_at_once(loop: Loop) -> None:
    pairs = [socketpair() for _ in range(100)]
    left = {ours.fileno() for ours, _ in pairs}

    def readable(sock: socket.socket) -> None:
        assert sock.recv(10) == b"x"
        loop.remove_reader(sock)
        left.discard(sock.fileno())
        if not left:
            loop.stop()

    for ours, theirs in pairs:
        loop.add_reader(ours, readable, ours)
        theirs.send(b"x")
    loop.run_forever()
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
    assert not left


def test_a_loop_may_be_closed_with_readers_left(loop: Loop) -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        loop.add_reader(ours, print)
        loop.add_writer(theirs, print)
        loop.close()
