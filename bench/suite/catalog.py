"""The workloads: what runs, how it is driven, and which figures a row reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Metric:
    """One figure of a workload's result. *key* names it in the JSON."""

    key: str
    label: str
    unit: str
    higher_is_better: bool = False


@dataclass(frozen=True)
class Workload:
    """One row of the report.

    *how* is ``micro`` (one process), ``server`` (a server and the load generator) or ``startup``. With *tls* server and
    load generator get a certificate, and the C programs are those with OpenSSL in them.
    The metrics in *metrics* are compared; the others that a run yields are only in the JSON.
    """

    name: str
    group: str
    title: str
    how: str
    metrics: tuple[Metric, ...]
    server: str = ""
    load: str = "echo"
    size_bytes: int = 1024
    connections: int = 1
    unix: bool = False
    tls: bool = False
    has_limit: bool = False
    extended: bool = field(default=False)
    """Only run with ``--all`` or when named."""


WALL = Metric("wall_ns", "wall time", "ns/op")
CPU_NS = Metric("process_cpu_ns", "CPU time", "ns/op")
THREAD_NS = Metric("thread_cpu_ns", "loop thread CPU", "ns/op")
RATE = Metric("messages_per_s", "throughput", "1/s", higher_is_better=True)
CPU_US = Metric("process_cpu_us", "server CPU", "us/msg")
THREAD_US = Metric("thread_cpu_us", "loop thread CPU", "us/msg")
P50 = Metric("p50_us", "p50", "us")
P99 = Metric("p99_us", "p99", "us")
RSS = Metric("rss_mib", "resident memory", "MiB")
CONNECTION_KIB = Metric("connection_kib", "memory per connection", "KiB")

_LATENESS = (Metric("median_us", "median", "us"), Metric("p99_us", "p99", "us"))
_SERVER = (RATE, CPU_US, THREAD_US, P50, P99)
_BULK = (RATE, CPU_US, THREAD_US)

_MICRO = [
    ("scheduling", "call_soon_chain", "callback that schedules itself"),
    ("scheduling", "call_soon_burst", "20k callbacks with two arguments at once"),
    ("scheduling", "threadsafe_1", "call_soon_threadsafe from one thread"),
    ("scheduling", "threadsafe_4", "call_soon_threadsafe from four threads"),
    ("timers", "timers_cancel", "call_later and cancel"),
    ("timers", "timers_10k_live", "call_later and cancel among 10k live timers"),
    ("timers", "timers_fire", "10k timers made and fired"),
    ("timers", "sleep", "1000 tasks, each asyncio.sleep of 1-10 us"),
    ("timers", "aio_sleep", "the same with jvloop.aio.sleep"),
    ("timers", "sleep_cancel", "asyncio.sleep, cancelled, in a task of its own"),
    ("timers", "aio_sleep_cancel", "the same with jvloop.aio.sleep"),
    ("tasks", "task_yields", "1000 tasks, each sleep(0)"),
    ("tasks", "task_create_await", "create a task and await it"),
    ("tasks", "gather", "gather of 1000 coroutines, per coroutine"),
    ("tasks", "queue", "item through asyncio.Queue"),
    ("tasks", "future_ping_pong", "two tasks waking each other by futures"),
    ("threads", "executor_round_trip", "run_in_executor of nothing"),
    ("threads", "getaddrinfo_literal", "getaddrinfo of an address literal"),
    ("subprocesses", "spawn", "start /bin/true and wait for it"),
    ("subprocesses", "spawn_20", "the same, 20 at a time"),
    ("subprocesses", "spawn_output", "start /bin/true and read its output to the end"),
]

_SIZES = {"1k": 1024, "10k": 10 * 1024, "100k": 100 * 1024}
_ECHO_SERVERS = {
    "": ("protocol", "Protocol"),
    "buffered_": ("buffered", "BufferedProtocol"),
    "streams_": ("streams", "streams"),
    "sock_": ("sock", "sock_recv and sock_sendall"),
}


def _echo_rows() -> list[Workload]:
    rows = []
    for prefix, (server, title) in _ECHO_SERVERS.items():
        for size_name, size in _SIZES.items():
            for connections in (100, 1, 10, 1000):
                suffix = "" if connections == 100 else f"_c{connections}"
                rows.append(
                    Workload(
                        f"tcp_echo_{prefix}{size_name}{suffix}",
                        "TCP echo",
                        f"{title}, {size // 1024} KiB, {connections} connection{'s' * (connections > 1)}",
                        "server",
                        (*_SERVER, RSS) if connections == 1000 else _SERVER,
                        server=server,
                        size_bytes=size,
                        connections=connections,
                        has_limit=True,
                        extended=size_name != "1k" and connections != 100,
                    )
                )
    return rows


def _tls_rows() -> list[Workload]:
    def row(name: str, title: str, connections: int, load: str = "echo", **more: Any) -> Workload:
        return Workload(
            f"tls_{name}",
            "TLS",
            title,
            "server",
            metrics=more.pop("metrics", _SERVER),
            server=more.pop("server", "protocol"),
            load=load,
            connections=connections,
            tls=True,
            has_limit=True,
            **more,
        )

    life = "one byte there and back, close_notify both ways; 10 at a time"
    return [
        row("echo_1k", "Protocol, 1 KiB, 100 connections", 100),
        row("echo_1k_c10", "Protocol, 1 KiB, 10 connections", 10),
        row("echo_100k", "Protocol, 100 KiB, 20 connections", 20, size_bytes=100 * 1024),
        row("echo_streams_1k", "streams, 1 KiB, 100 connections", 100, server="streams"),
        row("handshake", f"connect, full handshake, {life}", 10, "handshake"),
        row("start_tls", f"connect, one plain byte, start_tls, {life}", 10, "start_tls", server="start_tls"),
        row(
            "idle",
            "1000 silent connections after one echo of 1 KiB each; before them, the warm-up of tls_handshake",
            1000,
            "idle",
            metrics=(CONNECTION_KIB, RSS),
        ),
    ]


def _server_row(name: str, group: str, title: str, server: str, load: str, connections: int = 100) -> Workload:
    return Workload(name, group, title, "server", _SERVER, server=server, load=load, connections=connections)


def _all_rows() -> list[Workload]:
    rows = [Workload(name, group, title, "micro", (WALL, CPU_NS, THREAD_NS)) for group, name, title in _MICRO]
    rows += _echo_rows()
    rows += _tls_rows()
    rows += [
        Workload(
            f"unix_echo_1k{suffix}",
            "Unix and bulk",
            f"Unix socket, Protocol, 1 KiB, {connections} connection{'s' * (connections > 1)}",
            "server",
            _SERVER,
            server="protocol",
            connections=connections,
            unix=True,
            has_limit=True,
        )
        for suffix, connections in (("", 100), ("_c1", 1))
    ]
    for name, title, server, load in (
        ("bulk_receive", "one connection, server receives, per 64 KiB", "sink", "sink"),
        ("bulk_send", "one connection, server sends, per 64 KiB", "source", "source"),
        ("sendfile", "one connection, sendfile of 10 MiB again and again, per 64 KiB", "file", "source"),
        ("sendfile_64k", "one connection, sendfile of 64 KiB again and again", "small_file", "source"),
    ):
        rows.append(
            Workload(
                name,
                "Unix and bulk",
                title,
                "server",
                _BULK,
                server=server,
                load=load,
                size_bytes=65536,
                has_limit=name.startswith("bulk"),
            )
        )
    rows.append(
        Workload(
            "tcp_accept",
            "Unix and bulk",
            "connect, echo one byte, close; 50 at a time",
            "server",
            _SERVER,
            server="protocol",
            load="accept",
            connections=50,
            has_limit=True,
        )
    )
    rows += [
        Workload(
            f"udp_echo_1k{suffix}",
            "UDP",
            f"one server socket, 1 KiB, {connections} client socket{'s' * (connections > 1)}",
            "server",
            _SERVER,
            server="datagram",
            load="datagram",
            connections=connections,
            has_limit=True,
        )
        for suffix, connections in (("", 32), ("_c1", 1))
    ]
    rows += [
        _server_row("http_uvicorn", "HTTP and WebSocket", "uvicorn with httptools, plain ASGI", "uvicorn", "http"),
        _server_row("http_fastapi", "HTTP and WebSocket", "FastAPI under uvicorn, JSON", "fastapi", "http"),
        _server_row("http_aiohttp", "HTTP and WebSocket", "aiohttp server", "aiohttp", "http"),
        _server_row("websockets_1k", "HTTP and WebSocket", "websockets echo, 1 KiB", "websockets", "ws"),
        *(
            Workload(
                name, "costs", title, "micro", (Metric("median_us", "median", "us"), Metric("p99_us", "p99", "us"))
            )
            for name, title in (
                ("timer_overshoot", "how late a timer of 1-5 ms fires"),
                ("sleep_overshoot", "how late a task is back from sleep(0.001), jvloop's from aio.sleep"),
                ("fairness_timer", "how late a timer of 10 ms fires while 64 callbacks schedule themselves"),
                ("fairness_io", "how late a protocol gets its data while 64 callbacks schedule themselves"),
            )
        ),
        Workload(
            "idle",
            "costs",
            "a loop with nothing to do",
            "micro",
            (Metric("process_cpu_us_per_s", "CPU time", "us/s"), RSS),
        ),
        Workload(
            "startup",
            "costs",
            "interpreter start to a running loop",
            "startup",
            (
                Metric("process_ms", "process start to loop running", "ms"),
                Metric("import_ms", "import to loop running", "ms"),
                Metric("cpu_ms", "CPU time", "ms"),
            ),
        ),
    ]
    return rows


WORKLOADS: dict[str, Workload] = {row.name: row for row in _all_rows()}


def select(patterns: list[str], everything: bool) -> list[Workload]:
    """Give the workloads that *patterns* name: a name, a group, a shell pattern, or a part of names.

    Extended rows come in by their full name, by a shell pattern, or with *everything*. Without patterns: all others.

    :raises ValueError: a pattern that names nothing.
    """
    if not patterns:
        return [row for row in WORKLOADS.values() if everything or not row.extended]
    chosen: dict[str, Workload] = {}
    for pattern in patterns:
        found = [row for row in WORKLOADS.values() if fnmatchcase(row.name, pattern)] or [
            row
            for row in WORKLOADS.values()
            if (pattern in row.name or pattern == row.group) and (everything or not row.extended)
        ]
        if not found:
            raise ValueError(f"no workload matches {pattern!r}; --list shows them all")
        chosen.update((row.name, row) for row in found)
    return [row for row in WORKLOADS.values() if row.name in chosen]
