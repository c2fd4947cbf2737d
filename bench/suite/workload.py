"""What a row of the report is: a workload and the figures that it reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One figure of a workload's result. *key* names it in the JSON."""

    key: str
    label: str
    unit: str
    higher_is_better: bool = False


WALL = Metric("wall_ns", "wall time", "ns/op")
CPU_NS = Metric("process_cpu_ns", "CPU time", "ns/op")
THREAD_NS = Metric("thread_cpu_ns", "loop thread CPU", "ns/op")
RATE = Metric("messages_per_s", "throughput", "1/s", higher_is_better=True)
CPU_US = Metric("process_cpu_us", "CPU time", "us/msg")
THREAD_US = Metric("thread_cpu_us", "loop thread CPU", "us/msg")
P50 = Metric("p50_us", "p50", "us")
P99 = Metric("p99_us", "p99", "us")
LATE_MEDIAN = Metric("median_us", "median", "us")
RSS = Metric("rss_mib", "resident memory", "MiB")
CONNECTION_KIB = Metric("connection_kib", "memory per connection", "KiB")
IDLE_CPU = Metric("process_cpu_us_per_s", "CPU time", "us/s")
PROCESS_MS = Metric("process_ms", "process start to loop running", "ms")
IMPORT_MS = Metric("import_ms", "import to loop running", "ms")
CPU_MS = Metric("cpu_ms", "CPU time", "ms")

CPU_METRICS = (CPU_US, CPU_NS)
RATE_METRICS = (RATE, WALL)
"""Throughput, or time by the clock where a row counts operations inside one process: better by the same ratio."""
GENERATORS_METRICS = (*RATE_METRICS, P50, P99)
"""What a load generator with a full core says more about itself than about the loop: messages wait in its own queue."""

SCHEDULING, NETWORK, STREAMS, TLS, HTTP = (
    "scheduling",
    "plain network",
    "streams and sock_*",
    "TLS",
    "HTTP and WebSocket",
)
FAMILIES = (SCHEDULING, NETWORK, STREAMS, TLS, HTTP)


@dataclass(frozen=True)
class Workload:
    """One row of the report.

    *how* is ``micro`` (one process), ``server`` (a server on the loop, and the load generator), ``client`` (a client on
    the loop, and a fixed server, which *load* names) or ``startup``. With *tls* server and load generator get a
    certificate, and the C programs are those with OpenSSL in them. *silent* connections are open beside those that are
    busy.
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
    silent: int = 0
    unix: bool = False
    tls: bool = False
    has_limit: bool = False
    extended: bool = False
    """Only run with ``--all`` or when named."""
    cached: bool = False
    """Whether jvloop may use the AOT cache of its wheel; of ``startup`` alone, and without this it has none."""
    warmups: int = 1
    """How many times as long as other rows it is warmed up, on every loop alike."""
    family: str = ""
    """The geometric mean that it is part of (one of :data:`FAMILIES`), if any."""
    curve: str = ""
    """The growth curve that it is a point of, if any: the points differ in *size* alone."""
    size: int = 1
    batch: str = ""
    """The function of a ``micro`` row, where its name is another."""

    @property
    def has_windows(self) -> bool:
        """Whether it is measured in short windows, which takes operations that are counted.

        The other rows are one measurement as a whole: a start, a memory that grows, the rare times of lateness.
        """
        return self.metric(CPU_METRICS) is not None

    def metric(self, among: tuple[Metric, ...]) -> Metric | None:
        """Give the one of these metrics that the row has."""
        return next((metric for metric in self.metrics if metric in among), None)
