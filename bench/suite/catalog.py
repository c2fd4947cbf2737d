"""The rows: what runs, how it is driven, and which figures a row reports."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from suite.workload import (
    CONNECTION_KIB,
    CPU_MS,
    CPU_NS,
    CPU_US,
    HTTP,
    IDLE_CPU,
    IMPORT_MS,
    LATE_MEDIAN,
    NETWORK,
    P50,
    P99,
    PROCESS_MS,
    RATE,
    RSS,
    SCHEDULING,
    STREAMS,
    THREAD_NS,
    THREAD_US,
    TLS,
    WALL,
    Metric,
    Workload,
)

_SERVER = (RATE, CPU_US, THREAD_US, P50, P99)
_BULK = (RATE, CPU_US, THREAD_US)
_MICRO = (WALL, CPU_NS, THREAD_NS)
_KIB = 1024

_MICRO_ROWS = [
    ("scheduling", "call_soon_chain", "callback that schedules itself"),
    ("scheduling", "call_soon_chain_args", "the same with two arguments"),
    ("scheduling", "call_soon_burst_noargs", "20k callbacks at once"),
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
    ("tasks", "gather_10k", "gather of 10,000 coroutines, per coroutine"),
    ("tasks", "queue", "item through asyncio.Queue"),
    ("tasks", "future_ping_pong", "two tasks waking each other by futures"),
    ("threads", "executor_round_trip", "run_in_executor of nothing"),
    ("threads", "getaddrinfo_literal", "getaddrinfo of an address literal"),
    ("subprocesses", "spawn", "start /bin/true and wait for it"),
    ("subprocesses", "spawn_20", "the same, 20 at a time"),
    ("subprocesses", "spawn_output", "start /bin/true and read its output to the end"),
    ("subprocesses", "subprocess_pipe", "write a line to cat and read it back"),
]
_LATENESS_ROWS = [
    ("timer_overshoot", "how far from its time a timer of 1-5 ms fires"),
    ("sleep_overshoot", "how far from its time a task is back from asyncio.sleep(0.001)"),
    ("aio_sleep_overshoot", "the same with jvloop.aio.sleep"),
    ("fairness_timer", "how far from its time a timer of 10 ms fires while 64 callbacks schedule themselves"),
    ("fairness_io", "how late a protocol gets its data while 64 callbacks schedule themselves"),
]


def _is_aio(name: str) -> bool:
    """Whether a row is about an interface that jvloop alone has: no comparison of loops."""
    return name.startswith("aio_")


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count > 1)}"


def _micro_rows() -> list[Workload]:
    return [
        Workload(
            name,
            group,
            title,
            "micro",
            # A loop may save the clearing away of cancelled timers, and pay with memory.
            (*_MICRO, RSS) if group == "timers" else _MICRO,
            extended=_is_aio(name),
            family=SCHEDULING if group in ("scheduling", "timers", "tasks") and not _is_aio(name) else "",
        )
        for group, name, title in _MICRO_ROWS
    ]


_SIZES = {"1k": _KIB, "10k": 10 * _KIB, "100k": 100 * _KIB}
_ECHO_SERVERS = {
    "": ("protocol", "Protocol", NETWORK),
    "buffered_": ("buffered", "BufferedProtocol", NETWORK),
    "streams_": ("streams", "streams", STREAMS),
    "sock_": ("sock", "sock_recv and sock_sendall", STREAMS),
}


def _echo(name: str, title: str, connections: int = 100, **more: Any) -> Workload:
    """Give a row of the TCP echo server with bare protocols, changed by *more*."""
    title = f"{title}, {_plural(connections, 'connection')}"
    row = Workload(name, "TCP echo", title, "server", _SERVER, "protocol", has_limit=True, family=NETWORK)
    return replace(row, connections=connections, **more)


def _echo_rows() -> list[Workload]:
    rows = []
    for prefix, (server, title, family) in _ECHO_SERVERS.items():
        for size_name, size in _SIZES.items():
            for connections in (100, 1, 10, 1000):
                suffix = "" if connections == 100 else f"_c{connections}"
                rows.append(
                    _echo(
                        f"tcp_echo_{prefix}{size_name}{suffix}",
                        f"{title}, {size // _KIB} KiB",
                        connections,
                        metrics=(*_SERVER, RSS) if connections == 1000 else _SERVER,
                        server=server,
                        size_bytes=size,
                        # The basic run has all numbers of connections for the plainest server, and ends for the others.
                        extended=connections != 100 and (size_name != "1k" or (connections == 10 and prefix != "")),
                        family=family,
                    )
                )
    rows.append(_echo("tcp_echo_1k_idle_5k", "Protocol, 1 KiB, beside 5,000 silent ones", 10, silent=5000))
    return rows


def _warm(row: Workload) -> Workload:
    """Give *row* with three times the warm-up: bench/README.md says what for. It is in no mean."""
    title = f"{row.title}; three times the warm-up"
    return replace(row, name=f"{row.name}_warm", title=title, warmups=3, extended=True, family="")


def _two_at_a_time(row: Workload) -> Workload:
    """With so few connections that the load generator keeps up, so that the percentiles are the loop's. In no mean."""
    title = row.title.replace("10 at a time", "2 at a time")
    return replace(row, name=f"{row.name}_c2", title=title, connections=2, extended=True, family="")


def _tls_rows() -> list[Workload]:
    def row(name: str, title: str, connections: int, load: str = "echo", **more: Any) -> Workload:
        base = Workload(
            f"tls_{name}", "TLS", title, "server", _SERVER, "protocol", load, tls=True, has_limit=True, family=TLS
        )
        return replace(base, connections=connections, **more)

    life = "one byte there and back, close_notify both ways"
    lives = [
        row("handshake", f"connect, full handshake, {life}; 10 at a time", 10, "handshake"),
        row(
            "start_tls",
            f"connect, one plain byte, start_tls, {life}; 10 at a time",
            10,
            "start_tls",
            server="start_tls",
        ),
    ]
    return [
        row("echo_1k", "Protocol, 1 KiB, 100 connections", 100),
        row("echo_1k_c10", "Protocol, 1 KiB, 10 connections", 10),
        row("echo_100k", "Protocol, 100 KiB, 20 connections", 20, size_bytes=100 * _KIB),
        row("echo_streams_1k", "streams, 1 KiB, 100 connections", 100, server="streams"),
        row(
            "bulk_receive",
            "one connection, server receives, per 64 KiB",
            1,
            "sink",
            metrics=_BULK,
            server="sink",
            size_bytes=64 * _KIB,
        ),
        row(
            "bulk_send",
            "one connection, server sends, per 64 KiB",
            1,
            "source",
            metrics=_BULK,
            server="source",
            size_bytes=64 * _KIB,
        ),
        *lives,
        *(_warm(row) for row in lives),
        *(_two_at_a_time(_warm(row)) for row in lives),
        row(
            "idle",
            "1000 silent connections after one echo of 1 KiB each; before them, a warm-up of handshakes",
            1000,
            "idle",
            metrics=(CONNECTION_KIB, RSS),
            family="",
        ),
    ]


def _other_network_rows() -> list[Workload]:
    def row(name: str, title: str, connections: int = 1, group: str = "Unix and bulk", **more: Any) -> Workload:
        base = Workload(name, group, title, "server", _SERVER, "protocol", has_limit=True, family=NETWORK)
        return replace(base, connections=connections, **more)

    def bulk(name: str, title: str, server: str, load: str) -> Workload:
        has_limit = name.startswith("bulk")
        return row(name, title, metrics=_BULK, server=server, load=load, size_bytes=64 * _KIB, has_limit=has_limit)

    return [
        *(
            row(
                f"unix_echo_1k{suffix}",
                f"Unix socket, Protocol, 1 KiB, {_plural(connections, 'connection')}",
                connections,
                unix=True,
            )
            for suffix, connections in (("", 100), ("_c1", 1))
        ),
        bulk("bulk_receive", "one connection, server receives, per 64 KiB", "sink", "sink"),
        replace(
            bulk(
                "bulk_receive_streams",
                "one connection, server receives by StreamReader of asyncio's own limit, per 64 KiB",
                "stream_sink",
                "sink",
            ),
            family="",
        ),
        bulk("bulk_send", "one connection, server sends, per 64 KiB", "source", "source"),
        bulk("sendfile", "one connection, sendfile of 10 MiB again and again, per 64 KiB", "file", "source"),
        bulk("sendfile_64k", "one connection, sendfile of 64 KiB again and again", "small_file", "source"),
        row("tcp_accept", "connect, echo one byte, close; 50 at a time", 50, load="accept"),
        *(
            row(
                f"udp_echo_1k{suffix}",
                f"one server socket, 1 KiB, {_plural(connections, 'client socket')}",
                connections,
                "UDP",
                server="datagram",
                load="datagram",
            )
            for suffix, connections in (("", 32), ("_c1", 1))
        ),
    ]


def _http_rows() -> list[Workload]:
    def row(name: str, title: str, server: str, load: str = "http", **more: Any) -> Workload:
        base = Workload(name, HTTP, title, "server", _SERVER, server, load, connections=100, family=HTTP)
        return replace(base, **more)

    return [
        row("http_uvicorn", "uvicorn with httptools, plain ASGI", "uvicorn"),
        row("http_fastapi", "FastAPI under uvicorn, JSON", "fastapi"),
        row("http_aiohttp", "aiohttp server", "aiohttp"),
        row(
            "http_aiohttp_client",
            "aiohttp client, 32 requests at a time; the server is in C, the CPU time the client's",
            "aiohttp",
            how="client",
            connections=32,
        ),
        row("websockets_1k", "websockets echo, 1 KiB", "websockets", "ws"),
        # In no mean: these came later than the marks that the means are compared with.
        row("http_sanic", "Sanic server", "sanic", family=""),
        row("http_hypercorn", "Hypercorn, plain ASGI", "hypercorn", family=""),
        row(
            "websockets_uvicorn",
            "Starlette WebSocket echo under uvicorn, 1 KiB",
            "starlette_websocket",
            "ws",
            family="",
        ),
    ]


def _database_rows() -> list[Workload]:
    def row(name: str, title: str, client: str, server: str) -> Workload:
        title = f"{title}, 10 at a time; the CPU time is the client's"
        return Workload(name, "databases", title, "client", _SERVER, client, server, connections=10)

    return [
        row("redis_get", "redis-py: GET of 13 bytes", "redis", "redis"),
        row("asyncpg_fetchval", "asyncpg: SELECT of one value", "asyncpg", "postgresql"),
    ]


_START_METRICS = (PROCESS_MS, IMPORT_MS, CPU_MS, RSS)


def _cost_rows() -> list[Workload]:
    def row(name: str, title: str, how: str, metrics: tuple[Metric, ...], **more: Any) -> Workload:
        return replace(Workload(name, "costs", title, how, metrics), **more)

    return [
        *(row(name, title, "micro", (LATE_MEDIAN, P99), extended=_is_aio(name)) for name, title in _LATENESS_ROWS),
        row("idle", "a loop with nothing to do", "micro", (IDLE_CPU, RSS)),
        row(
            "tcp_idle",
            "5,000 silent connections after one echo of 1 KiB each; before them, the warm-up of tcp_accept",
            "server",
            (CONNECTION_KIB, RSS),
            server="protocol",
            load="idle",
            connections=5000,
            has_limit=True,
        ),
        row("startup", "interpreter start to a running loop, jvloop without an AOT cache", "startup", _START_METRICS),
        row("startup_cached", "the same, jvloop as its wheel installs it", "startup", _START_METRICS, cached=True),
    ]


_POWERS = {"100": 100, "1k": 1000, "10k": 10_000, "100k": 100_000}


def _growth_rows() -> list[Workload]:
    """Give the points of the growth curves: the same operation amid more and more."""
    rows = []
    for name, size in _POWERS.items():
        for curve, batch, what in (
            ("timers", "live_timers", "call_later and cancel among {} live timers"),
            ("handles", "pending_handles", "callback that schedules itself, one of {}"),
        ):
            title = what.format(f"{size:,}")
            metrics = (*_MICRO, RSS)
            rows.append(Workload(f"growth_{curve}_{name}", "growth", title, "micro", metrics, batch=batch, size=size))
    for name, size in list(_POWERS.items())[:3]:
        rows.append(_echo(f"growth_connections_{name}", "TCP echo, Protocol, 1 KiB", size, size=size))
        title = f"TCP echo, Protocol, 1 KiB, beside {size:,} silent ones"
        rows.append(_echo(f"growth_silent_{name}", title, 10, silent=size, size=size))
    return [
        replace(row, group="growth", curve=row.name.split("_")[1], extended=True, family="")
        for row in sorted(rows, key=lambda row: (row.name.split("_")[1], row.size))
    ]


CURVES = {
    "connections": "TCP echo, 1 KiB: busy connections",
    "silent": "TCP echo, 1 KiB, 10 busy connections: silent ones beside them",
    "timers": "call_later and cancel: live timers",
    "handles": "callback that schedules itself: pending handles",
}
"""The growth curves and what their axis counts."""

WORKLOADS: dict[str, Workload] = {
    row.name: row
    for row in (
        *_micro_rows(),
        *_echo_rows(),
        *_tls_rows(),
        *_other_network_rows(),
        *_http_rows(),
        *_database_rows(),
        *_cost_rows(),
        *_growth_rows(),
    )
}


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
