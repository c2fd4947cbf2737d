"""What is measured in windows: a loop in a process of its own that is warmed up once and then measured many times."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from suite import databases
from suite.child import MEASURE, WARM_UP
from suite.limit import compile_programs, make_certificate
from suite.loops import LIMIT
from suite.processes import START_TIMEOUT_S, Child, Result, RunError, output_of
from suite.settings import Settings
from suite.workload import Workload

SETTLE_S = 0.1
"""What comes before each window of a server or a client: the loop goes on after a stop."""
PATIENCE_S = 60.0
"""How much longer than it should an answer may take."""
_END_S = 1.0


class Contender:
    """One loop in one round of a row.

    *child* is the process that the loop is in, and *meter* the one that takes commands and measures: the same for a
    micro workload or a client, and for a server its load generator, whose connections stay open from window to window.
    Before each window the loop works *settle_s* seconds unmeasured.
    """

    def __init__(self, child: Child, meter: Child, settle_s: float) -> None:
        self.child = child
        self._meter = meter
        self._settle_s = settle_s

    def warm_up(self, seconds: float) -> None:
        """Have the loop work, unmeasured.

        :raises RunError: it failed.
        """
        self._tell(WARM_UP, seconds)

    def measure(self, seconds: float) -> Result:
        """Measure one window.

        :raises RunError: it failed.
        """
        if self._settle_s:
            self._tell(WARM_UP, self._settle_s)
        return self._tell(MEASURE, seconds)

    def measure_alone(self, warmup_s: float, duration_s: float) -> Result:
        """Warm up and measure once, for rows that have no windows.

        :raises RunError: it failed.
        """
        self.warm_up(warmup_s)
        return self.measure(duration_s)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let the process go on for as long as the block takes, and stop it again."""
        self.child.resume()
        try:
            yield
        finally:
            self.child.pause()

    def _tell(self, command: str, seconds: float) -> Result:
        with nullcontext() if self._meter is self.child else _saying_how_it_ended(self.child):
            return self._meter.ask(f"{command} {seconds}", seconds + PATIENCE_S)


@contextmanager
def _saying_how_it_ended(server: Child) -> Iterator[None]:
    """Add to a failure of the load generator that its server has ended, if it has."""
    try:
        yield
    except RunError as error:
        end = server.how_it_ended(_END_S)
        raise RunError(f"{error}; the server ended: {end}" if end else str(error)) from None


def _core_arguments(core: int | None, option: str = "--cpu") -> list[str]:
    return [] if core is None else [option, str(core)]


def _limit_command(row: Workload) -> list[str]:
    mode = row.load if row.load in ("sink", "source") else "echo"
    if row.tls:
        command = [str(compile_programs(tls=True) / "tls_echo"), "--mode", mode]
        return [*command, "--start-tls", "1"] if row.server == "start_tls" else command
    if row.server == "datagram":
        return [str(compile_programs() / "datagrams")]
    return [str(compile_programs() / "echo"), "--mode", mode]


def _server_command(row: Workload, loop: str) -> list[str]:
    if loop == LIMIT:
        return _limit_command(row)
    return [sys.executable, "-m", "suite.servers", "--loop", loop, "--kind", row.server]


def _load_command(row: Workload, settings: Settings) -> list[str]:
    program = compile_programs(row.tls) / ("tls_load" if row.tls else "load")
    command = [str(program), "--mode", row.load]
    command += ["--connections", str(row.connections), "--size", str(row.size_bytes)]
    command += ["--silent", str(row.silent)] if row.silent else []
    return command + _core_arguments(settings.load_core)


@contextmanager
def _serving(row: Workload, loop: str, settings: Settings) -> Iterator[tuple[Child, list[str]]]:
    """Start a server; give it, and the command of a load generator for it."""
    with tempfile.TemporaryDirectory(prefix="jvloop-bench-") as folder:
        unix_path = f"{folder}/socket" if row.unix else None
        serve = _server_command(row, loop) + _core_arguments(settings.loop_core)
        serve += ["--unix", unix_path] if unix_path else []
        serve += ["--certificate", str(make_certificate(Path(folder)))] if row.tls else []
        with Child(serve) as server:
            where = server.hear(START_TIMEOUT_S)
            load = _load_command(row, settings)
            load += ["--unix", unix_path] if unix_path else ["--port", str(where["port"])]
            yield server, [*load, "--server-pid", str(where["pid"]), "--server-tid", str(where["tid"])]


@contextmanager
def _open_server(row: Workload, loop: str, settings: Settings) -> Iterator[Contender]:
    with _serving(row, loop, settings) as (server, load), Child([*load, "--commands", "1"]) as generator:
        yield Contender(server, generator, SETTLE_S)


def measure_idle_server(row: Workload, loop: str, settings: Settings) -> Result:
    """Measure the memory of a server whose connections are silent: warm-up and all, one run of the load generator.

    :raises RunError: it failed.
    """
    with _serving(row, loop, settings) as (server, load):
        warmup_s, duration_s = settings.warmup_of(row, loop), settings.duration_s
        command = [*load, "--warmup", str(warmup_s), "--duration", str(duration_s)]
        with _saying_how_it_ended(server):
            result = output_of(command, warmup_s + duration_s + PATIENCE_S)
        server.finish()
    return result


@contextmanager
def _fixed_server(row: Workload, settings: Settings) -> Iterator[int]:
    """Start what the clients of a row ask; give its port."""
    with tempfile.TemporaryDirectory(prefix="jvloop-bench-", ignore_cleanup_errors=True) as folder:
        serve = [str(compile_programs() / "http_server")]
        if row.load in databases.KINDS:
            serve = [sys.executable, "-m", "suite.databases", "--kind", row.load, "--folder", folder]
        with Child(serve + _core_arguments(settings.load_core)) as server:
            yield int(server.hear(START_TIMEOUT_S)["port"])
            server.finish()


@contextmanager
def _open_client(row: Workload, loop: str, settings: Settings) -> Iterator[Contender]:
    # A server for each client: what a stopped client left unread is nobody else's.
    with _fixed_server(row, settings) as port:
        command = [sys.executable, "-m", "suite.clients", "--loop", loop, "--kind", row.server]
        command += ["--port", str(port), "--connections", str(row.connections)]
        with Child(command + _core_arguments(settings.loop_core)) as client:
            yield Contender(client, client, SETTLE_S)


@contextmanager
def _open_micro(row: Workload, loop: str, settings: Settings) -> Iterator[Contender]:
    command = [sys.executable, "-m", "suite.micro", "--loop", loop, "--workload", row.batch or row.name]
    command += ["--size", str(row.size), *_core_arguments(settings.loop_core)]
    command += _core_arguments(settings.load_core, "--peer-cpu")
    with Child(command) as child:
        yield Contender(child, child, 0)


_OPEN = {"micro": _open_micro, "server": _open_server, "client": _open_client}


@contextmanager
def open_contender(row: Workload, loop: str, settings: Settings) -> Iterator[Contender]:
    """Start what *row* measures on *loop*; leaving the block ends it, whatever state it is in.

    :raises RunError: it does not start.
    :raises CompileError: a program or a certificate cannot be made.
    """
    with _OPEN[row.how](row, loop, settings) as contender:
        yield contender
