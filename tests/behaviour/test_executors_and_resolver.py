"""run_in_executor, the default executor's rules, getaddrinfo and getnameinfo."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import itertools
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

Loop = asyncio.AbstractEventLoop
Run = Callable[..., Any]


def test_runs_in_another_thread(loop: Loop, run: Run) -> None:
    async def main() -> None:
        assert await loop.run_in_executor(None, threading.get_ident) != threading.get_ident()
        assert await loop.run_in_executor(None, max, 1, 3, 2) == 3

    run(main())


def test_exceptions_come_back(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="invalid literal"):
            await loop.run_in_executor(None, int, "x")

    run(main())


def test_an_executor_of_ones_own(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="mine") as executor:
            name = await loop.run_in_executor(executor, lambda: threading.current_thread().name)
            assert name.startswith("mine")

    run(main())


def test_set_default_executor(loop: Loop, run: Run) -> None:
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="default"))

    async def main() -> None:
        name = await loop.run_in_executor(None, lambda: threading.current_thread().name)
        assert name.startswith("default")

    run(main())


@pytest.mark.uvloop_differs("takes any object", run=False)
def test_the_default_executor_is_a_thread_pool(loop: Loop) -> None:
    bad: Any = object()
    with pytest.raises(TypeError, match="executor must be ThreadPoolExecutor instance"):
        loop.set_default_executor(bad)


def test_not_after_the_default_executor_was_shut_down(loop: Loop, run: Run) -> None:
    async def main() -> None:
        await loop.run_in_executor(None, int)
        await loop.shutdown_default_executor()
        with pytest.raises(RuntimeError, match="Executor shutdown has been called"):
            loop.run_in_executor(None, int)

    run(main())


def test_shutdown_waits_for_what_runs(loop: Loop, run: Run) -> None:
    started, release = threading.Event(), threading.Event()

    def work() -> str:
        started.set()
        release.wait()
        return "finished"

    async def main() -> None:
        future = loop.run_in_executor(None, work)
        await asyncio.to_thread(started.wait)
        loop.call_soon(release.set)
        await loop.shutdown_default_executor()
        assert await future == "finished"

    run(main())


def test_to_thread_keeps_the_context(run: Run, loop: Loop) -> None:
    var = contextvars.ContextVar("var", default=0)

    async def main() -> None:
        var.set(1)
        assert await asyncio.to_thread(var.get) == 1

    run(main())


def test_many_at_once(loop: Loop, run: Run) -> None:
    async def main() -> None:
        results = await asyncio.gather(*(loop.run_in_executor(None, pow, number, 2) for number in range(200)))
        assert results == [number**2 for number in range(200)]

    run(main())


def test_not_on_a_closed_loop(loop: Loop) -> None:
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.run_in_executor(None, int)


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("127.0.0.1", socket.AF_INET, ("127.0.0.1", 80)),
        ("::1", socket.AF_INET6, ("::1", 80, 0, 0)),
    ],
)
def test_getaddrinfo_of_literals(loop: Loop, run: Run, host: str, family: int, address: tuple[Any, ...]) -> None:
    async def main() -> None:
        infos = await loop.getaddrinfo(host, 80, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        assert infos == socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        assert infos[0][0] == family and infos[0][4] == address

    run(main())


@pytest.mark.uvloop_differs("answers literals from a table of its own")
def test_getaddrinfo_of_literals_is_the_socket_modules(loop: Loop, run: Run) -> None:
    hosts = ("192.0.2.1", "2001:DB8:0::1", "::ffff:192.0.2.1", "192.0.2.256", "192.0.02.1", "::1%")
    ports = (80, None, "80")
    families, protos = (0, socket.AF_INET, socket.AF_INET6), (0, socket.IPPROTO_UDP)
    kinds, flags = (0, socket.SOCK_STREAM, socket.SOCK_RAW), (0, socket.AI_PASSIVE, socket.AI_CANONNAME)

    async def main() -> None:
        for host, port, family, kind, proto, flag in itertools.product(hosts, ports, families, kinds, protos, flags):
            hints = {"family": family, "type": kind, "proto": proto, "flags": flag | socket.AI_NUMERICHOST}
            try:
                expected: Any = repr(socket.getaddrinfo(host, port, **hints))
            except socket.gaierror as error:
                expected = error.args
            for _ in range(2):
                try:
                    answer: Any = repr(await loop.getaddrinfo(host, port, **hints))
                except socket.gaierror as error:
                    answer = error.args
                assert answer == expected

    run(main())


def test_each_answer_of_getaddrinfo_is_the_callers_own(loop: Loop, run: Run) -> None:
    async def main() -> None:
        (await loop.getaddrinfo("192.0.2.1", 80)).clear()
        assert await loop.getaddrinfo("192.0.2.1", 80)

    run(main())


def test_getaddrinfo_of_a_name(loop: Loop, run: Run) -> None:
    async def main() -> None:
        infos = await loop.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
        assert infos == socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)

    run(main())


def test_getaddrinfo_of_nothing_for_listening(loop: Loop, run: Run) -> None:
    async def main() -> None:
        infos = await loop.getaddrinfo(None, 80, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        assert sorted(infos) == sorted(socket.getaddrinfo(None, 80, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE))

    run(main())


def test_getaddrinfo_of_a_name_that_cannot_be(loop: Loop, run: Run) -> None:
    async def main() -> None:
        with pytest.raises(socket.gaierror):
            await loop.getaddrinfo("name with spaces.invalid", 80, flags=socket.AI_NUMERICHOST)

    run(main())


def test_getnameinfo(loop: Loop, run: Run) -> None:
    async def main() -> None:
        flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        assert await loop.getnameinfo(("127.0.0.1", 80), flags) == ("127.0.0.1", "80")

    run(main())


@pytest.mark.only_on("jvloop")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", b"127.0.0.1"])
def test_literals_never_reach_the_resolver(loop: Loop, run: Run, host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"the resolver was asked for {args}")

    async def main() -> None:
        infos = await loop.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
        assert infos[0][4][1] == 80
        assert await loop.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV) == (
            "127.0.0.1",
            "80",
        )

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "getnameinfo", refuse)
    monkeypatch.setattr(loop, "run_in_executor", refuse)
    run(main())
