"""The same tests on asyncio, uvloop and jvloop, with a leak gate around each.

A test that takes `loop` or `loop_factory` runs once for every loop named by ``--loop`` (all by default). uvloop is
absent, with a notice, where it is not installed; jvloop is always required unless ``--loop`` leaves it out.

What asyncio does is what a test expects. Where uvloop differs, ``@pytest.mark.uvloop_differs(reason)`` makes that test
a strict expected failure on uvloop (``run=False``: not even tried; ``leaks=True``: only the leak gate is off). There is
no such mark for jvloop.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import faulthandler
import gc
import importlib
import importlib.util
import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

LOOP_NAMES = ("asyncio", "uvloop", "jvloop")
TEST_TIMEOUT_S = int(os.environ.get("JVLOOP_TEST_TIMEOUT_S", "30"))
HARD_TIMEOUT_MARGIN_S = 15
"""The per-test alarm needs a loop that lets Python signal handlers run. If it does not, faulthandler ends the run."""
LEAK_GRACE_S = 5.0

SELECTED_LOOPS: pytest.StashKey[list[str]] = pytest.StashKey()
BEFORE: pytest.StashKey[Snapshot] = pytest.StashKey()
FAILED: pytest.StashKey[bool] = pytest.StashKey()
STDERR: pytest.StashKey[int] = pytest.StashKey()
"""The run's standard error. A test's goes into pytest's capture, which is lost where faulthandler ends the run."""


@dataclasses.dataclass(frozen=True)
class Backend:
    """One event loop implementation under test."""

    name: str

    def new_loop(self) -> asyncio.AbstractEventLoop:
        """A fresh loop, not set as the current one."""
        if self.name == "asyncio":
            return asyncio.SelectorEventLoop()
        loop: asyncio.AbstractEventLoop = importlib.import_module(self.name).new_event_loop()
        return loop


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--loop",
        default=",".join(LOOP_NAMES),
        help=f"comma-separated event loops to test, of {', '.join(LOOP_NAMES)} (default: all)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "uvloop_differs(reason, *, run=True, leaks=False): asyncio's behaviour that uvloop lacks"
    )
    config.addinivalue_line("markers", "only_on(*names): the loops that make the promise which the test checks")
    config.addinivalue_line("markers", "leaks(reason): what the test leaves behind on purpose; no leak gate")
    config.addinivalue_line("filterwarnings", "error")
    wanted = [name.strip() for name in config.getoption("--loop").split(",") if name.strip()]
    if unknown := sorted(set(wanted) - set(LOOP_NAMES)):
        raise pytest.UsageError(f"--loop: unknown event loop {', '.join(unknown)}; known: {', '.join(LOOP_NAMES)}")
    if "uvloop" in wanted and importlib.util.find_spec("uvloop") is None:
        wanted.remove("uvloop")
    config.stash[SELECTED_LOOPS] = wanted
    config.stash[STDERR] = os.dup(2)


def pytest_unconfigure(config: pytest.Config) -> None:
    if STDERR in config.stash:
        os.close(config.stash[STDERR])


def pytest_report_header(config: pytest.Config) -> str:
    selected = config.stash[SELECTED_LOOPS]
    notice = "" if importlib.util.find_spec("uvloop") else " (uvloop is not installed here: its column is absent)"
    return f"event loops: {', '.join(selected)}{notice}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    names = metafunc.config.stash[SELECTED_LOOPS]
    for mark in metafunc.definition.iter_markers("only_on"):
        names = [name for name in names if name in mark.args]
    metafunc.parametrize("backend", [pytest.param(Backend(name), id=name) for name in names], scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S))
        backend = backend_of(item)
        if backend is None or backend.name != "uvloop":
            continue
        for mark in item.iter_markers("uvloop_differs"):
            if mark.kwargs.get("leaks"):
                item.add_marker(pytest.mark.leaks(mark.args[0]))
                continue
            item.add_marker(pytest.mark.xfail(reason=mark.args[0], run=mark.kwargs.get("run", True), strict=True))


def backend_of(item: pytest.Item) -> Backend | None:
    """The loop that `item` runs on, or None for a test without one."""
    callspec = getattr(item, "callspec", None)
    backend = None if callspec is None else callspec.params.get("backend")
    return backend if isinstance(backend, Backend) else None


# --- the leak gate --------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Snapshot:
    """What the process holds at one moment."""

    fds: dict[int, str]
    threads: set[threading.Thread]
    native_threads: dict[int, str]
    objects: dict[int, str]


JVM_THREAD_NAMES = (
    "C1 ",
    "C2 ",
    "Cleaner",
    "Common-Cleaner",
    "Finalizer",
    "G1 ",
    "GC Thread",
    "Monitor Deflati",
    "Notification Th",
    "Reference Handl",
    "Service Thread",
    "Signal Dispatch",
    "VM ",
    "java",
)
"""The JVM's own service threads, by the names the kernel shows: it starts and ends compiler threads as it likes."""


def take_snapshot() -> Snapshot:
    return Snapshot(open_fds(), set(threading.enumerate()), native_threads(), loop_objects())


def open_fds() -> dict[int, str]:
    """The open descriptors with what they lead to, but for files that the JVM opens when it first needs them."""
    fds: dict[int, str] = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the descriptor of the listing itself
            target = os.readlink(f"/proc/self/fd/{name}")
            if not is_jvm_file(target):
                fds[int(name)] = target
    return fds


def is_jvm_file(target: str) -> bool:
    return target.removesuffix(" (deleted)").endswith((".jar", "/lib/modules")) or target in (
        "/dev/random",
        "/dev/urandom",
    )


def native_threads() -> dict[int, str]:
    threads: dict[int, str] = {}
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            name = (task / "comm").read_text().rstrip("\n")
            if not name.startswith(JVM_THREAD_NAMES):
                threads[int(task.name)] = name
    return threads


def loop_objects() -> dict[int, str]:
    """Every live object of an event loop's machinery that the cyclic collector knows, by id.

    Free-threaded CPython 3.13 frees no class once a second thread was started: a class that a test makes must not have
    such an object in a closure, or it is found here.
    """
    return {id(thing): type(thing).__qualname__ for thing in gc.get_objects() if is_loop_type(type(thing))}


LOOP_BASES = (
    asyncio.AbstractEventLoop,
    asyncio.AbstractServer,
    asyncio.BaseProtocol,
    asyncio.BaseTransport,
    asyncio.Future,
    asyncio.Handle,
    asyncio.StreamReader,
    asyncio.StreamWriter,
)


def is_loop_type(cls: type) -> bool:
    return issubclass(cls, LOOP_BASES) or str(cls.__module__).startswith(("uvloop", "jvloop"))


def leaks_since(before: Snapshot) -> list[str]:
    """What is there now and was not there `before`; given time to end by itself, and then named."""
    deadline = time.monotonic() + LEAK_GRACE_S
    for thread in set(threading.enumerate()) - before.threads:
        thread.join(max(0.0, deadline - time.monotonic()))
        del thread  # a worker thread that is kept here keeps its loop
    while True:
        gc.collect()
        now = take_snapshot()
        found = [f"thread {thread.name!r}" for thread in now.threads - before.threads]
        found += [f"fd {fd} -> {to}" for fd, to in now.fds.items() if before.fds.get(fd) != to]
        found += [
            f"native thread {name!r}" for tid, name in now.native_threads.items() if tid not in before.native_threads
        ]
        found += [f"object {name}" for key, name in now.objects.items() if key not in before.objects]
        if not found or time.monotonic() > deadline:
            return found
        threading.Event().wait(0.02)  # a kernel thread or a reaper leaves its traces a moment longer than join()


WARM: set[str] = set()


def warm_up(backend: Backend) -> None:
    """Run one loop of this kind, so that what an implementation opens once per process is not counted as a leak."""
    if backend.name in WARM:
        return
    WARM.add(backend.name)

    async def touch() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await reader.read()
            writer.close()
            await writer.wait_closed()
            with contextlib.suppress(OSError):  # no handshake: that TLS was begun is enough
                await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=True, server_hostname="localhost")
        await asyncio.to_thread(int)

    with asyncio.Runner(loop_factory=backend.new_loop) as runner:
        runner.run(touch())


frozen_for: Path | None = None
"""The file whose first test the heap was last frozen for."""


def freeze_between_modules(path: Path) -> None:
    """Keep what is there before a module's first test out of all later collections and snapshots.

    The gate collects three times per test, and pytest keeps some thirty objects of every test to the end of the run:
    late tests would pay for all those before them. Between two modules the last test's gate has looked and the fixtures
    of its module are gone, so what a test leaves is never frozen before its own gate. Those after it leave it out,
    frozen or not.
    """
    global frozen_for
    if path != frozen_for:
        frozen_for = path
        gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    if backend := backend_of(item):
        warm_up(backend)
    timeout = item.get_closest_marker("timeout")
    seconds = timeout.args[0] if timeout is not None and timeout.args else TEST_TIMEOUT_S
    faulthandler.dump_traceback_later(seconds + HARD_TIMEOUT_MARGIN_S, exit=True, file=item.config.stash[STDERR])
    gc.collect()
    freeze_between_modules(item.path)
    item.stash[BEFORE] = take_snapshot()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed or report.skipped:
        item.stash[FAILED] = True  # the traceback, or that of an expected failure, keeps frames and their objects alive
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
    if item.stash.get(FAILED, False) or item.get_closest_marker("leaks") or BEFORE not in item.stash:
        return
    getattr(item, "funcargs", {}).clear()
    before = item.stash[BEFORE]
    del item.stash[BEFORE]
    if leaked := leaks_since(before):
        pytest.fail("left behind: " + "; ".join(sorted(leaked)), pytrace=False)


# --- fixtures -------------------------------------------------------------------------------------------------------


@pytest.fixture
def loop_factory(backend: Backend) -> Callable[[], asyncio.AbstractEventLoop]:
    """Makes loops of the implementation under test; the test closes them."""
    return backend.new_loop


@pytest.fixture
def errors() -> list[dict[str, Any]]:
    """What the loop's exception handler was called with. A test that expects entries clears them when it has looked."""
    return []


@pytest.fixture
def loop(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], errors: list[dict[str, Any]]
) -> Iterator[asyncio.AbstractEventLoop]:
    """A fresh loop with `errors` as its exception handler. Fails the test if tasks or unexpected errors are left."""
    loop = loop_factory()
    loop.set_exception_handler(lambda _, context: errors.append(context))
    yield loop
    if not loop.is_closed():
        left = asyncio.all_tasks(loop)
        if left:
            # A server's handler may end some turns after its client: before 3.12 nobody waits for it.
            _, left = loop.run_until_complete(asyncio.wait(left, timeout=1))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        assert not left, f"tasks left pending: {left}"
    gc.collect()
    unexpected = [f"{context.get('message')}: {context.get('exception')!r}" for context in errors]
    errors.clear()
    assert not unexpected, unexpected


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop) -> Callable[..., Any]:
    """`run(coroutine)` on the test's loop."""
    return loop.run_until_complete
