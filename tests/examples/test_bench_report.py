"""What the report says of the figures: means, comparisons, curves. The figures are made up."""

from __future__ import annotations

import statistics
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from suite import chart, growth_chart, report, summary
from suite.catalog import CURVES, WORKLOADS
from suite.figures import figure
from suite.workload import CPU_NS

SVG = "{http://www.w3.org/2000/svg}"


def micro(*nanoseconds: float) -> list[dict[str, float]]:
    return [{"wall_ns": value, "process_cpu_ns": value, "thread_cpu_ns": value} for value in nanoseconds]


def server(cpu_us: float, rate: float, p99_us: float = 100.0, load_cpu_share: float = 0.5) -> dict[str, float]:
    return {"process_cpu_us": cpu_us, "messages_per_s": rate, "p99_us": p99_us, "load_cpu_share": load_cpu_share}


def data_of(results: dict[str, Any], loops: tuple[str, ...] = ("uvloop", "rloop", "jvloop", "c")) -> dict[str, Any]:
    return {"header": {}, "loops": list(loops), "baseline": "uvloop", "results": results, "failures": []}


def windowed(*nanoseconds: float) -> dict[str, Any]:
    """A round of a micro row with these windows."""
    windows = micro(*nanoseconds)
    return {key: statistics.median(window[key] for window in windows) for key in windows[0]} | {"windows": windows}


def test_ratio_is_the_median_over_the_pairs_of_windows() -> None:
    # The machine gets slower from window to window, for both alike.
    rounds = {
        "uvloop": [windowed(100, 200, 400), windowed(300, 600, 900)],
        "jvloop": [windowed(50, 50, 400), windowed(100, 200, 300)],
    }
    found = figure(CPU_NS, rounds, "jvloop", "uvloop")
    assert found is not None
    assert found.ratio == pytest.approx(3.0)  # of 2, 4, 1, 3, 3, 3
    assert found.span == pytest.approx((2.0, 3.0))
    assert (found.median, found.low, found.high) == (125, 50, 200)


def test_ratio_without_windows_is_the_median_over_the_pairs_of_rounds() -> None:
    found = figure(CPU_NS, {"uvloop": micro(100, 300, 900), "jvloop": micro(100, 100, 450)}, "jvloop", "uvloop")
    assert found is not None
    assert found.ratio == pytest.approx(2.0)
    assert found.span == pytest.approx((1.0, 3.0))


def test_windows_that_one_of_two_loops_lacks_count_for_nothing() -> None:
    failed = figure(CPU_NS, {"uvloop": [None, windowed(300)], "jvloop": [windowed(100), None]}, "jvloop", "uvloop")
    assert failed is not None
    assert (failed.median, failed.ratio, failed.span) == (100, None, None)


def test_geometric_mean() -> None:
    assert summary.geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
    assert summary.geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="no values"):
        summary.geometric_mean([])


def test_family_mean_is_of_its_own_rows_and_has_the_span_of_the_rounds() -> None:
    results = {
        "call_soon_chain": {"uvloop": micro(400, 400, 400), "jvloop": micro(100, 100, 200)},
        "task_yields": {"uvloop": micro(400, 400, 400), "jvloop": micro(400, 400, 400)},
        "spawn": {"uvloop": micro(400, 400, 400), "jvloop": micro(1, 1, 1)},
        "tcp_echo_1k": {"uvloop": [server(4, 100)], "jvloop": [server(2, 100)], "c": [server(1, 100)]},
    }
    means = {(mean.family, mean.loop, mean.kind): mean for mean in summary.family_means(data_of(results))}
    scheduling = means["scheduling", "jvloop", summary.CPU]
    assert scheduling.ratio == pytest.approx(2.0)
    assert scheduling.span == pytest.approx((2**0.5, 2.0))
    assert scheduling.rows == 2
    assert means["plain network", "jvloop", summary.CPU].ratio == pytest.approx(2.0)
    assert means["plain network", "jvloop", summary.THROUGHPUT].ratio == pytest.approx(1.0)
    assert {loop for _, loop, _ in means} == {"jvloop"}


def test_failed_rounds_count_for_nothing() -> None:
    results = {"call_soon_chain": {"uvloop": [*micro(300, 300), None], "jvloop": [None, *micro(100, 150)]}}
    (mean, _) = summary.family_means(data_of(results))
    assert mean.ratio == pytest.approx(3.0)
    assert mean.span == pytest.approx((3.0, 3.0))


def test_best_peer_is_found_for_each_row_and_figure_and_is_never_the_limit() -> None:
    results = {
        "tcp_echo_1k": {
            "uvloop": [server(4, 300)],
            "rloop": [server(5, 400)],
            "jvloop": [server(3, 320, load_cpu_share=0.99)],
            "c": [server(1, 900)],
        }
    }
    cpu, rate = sorted(summary.against_best_peer(data_of(results)), key=lambda each: each.metric)
    assert (cpu.metric, cpu.peer, cpu.ratio) == ("CPU time", "uvloop", pytest.approx(4 / 3))
    assert (rate.metric, rate.peer, rate.ratio) == ("throughput", "rloop", pytest.approx(0.8))
    assert (cpu.generator_bound, rate.generator_bound) == (False, True)
    text = report.markdown(data_of(results))
    assert "In 1 of 2 figures" in text
    assert "| `tcp_echo_1k` | throughput, 1/s | 320 | rloop 400 | **0.80x** (0.80 to 0.80), the load" in text


def test_p99_and_costs_are_told() -> None:
    started = {"uvloop": [{"process_ms": 100.0, "rss_mib": 20.0}], "jvloop": [{"process_ms": 180.0, "rss_mib": 60.0}]}
    echo = {"uvloop": [server(4, 300, p99_us=50)], "jvloop": [server(4, 300, p99_us=100)]}
    data = data_of({"tcp_echo_1k": echo, "startup": started})
    (late,) = summary.late_percentiles(data)
    assert (late.row, late.ratio, late.generator_bound) == ("tcp_echo_1k", pytest.approx(0.5), False)
    echo["uvloop"] = [server(4, 300, p99_us=50, load_cpu_share=0.95)]
    (late,) = summary.late_percentiles(data)
    assert late.generator_bound
    assert [(each.metric, each.difference) for each in summary.differences(data)] == [
        ("process start to loop running", pytest.approx(80.0)),
        ("resident memory", pytest.approx(40.0)),
    ]
    text = report.markdown(data)
    assert "In 0 of 1 rows jvloop's 99th percentile is no worse" in text
    assert "| `startup` | process start to loop running, ms | 180 | uvloop by 80.0 |" in text


def test_growth_is_a_table_and_a_chart_of_its_own() -> None:
    rows = [row for row in WORKLOADS.values() if row.curve == "timers"]
    results = {row.name: {"uvloop": micro(100), "jvloop": micro(50 + row.size / 1000)} for row in rows}
    data = data_of(results, ("uvloop", "jvloop"))
    assert [row.size for row in rows] == [100, 1000, 10_000, 100_000]
    assert f"### {CURVES['timers']}" in report.markdown(data)
    assert "| jvloop | 50.1 | 51.0 | 60.0 | 150 | 2.99 |" in report.markdown(data)
    drawn = ElementTree.fromstring(growth_chart.svg(data))
    assert len(drawn.findall(f"{SVG}polyline")) == 2
    assert ElementTree.fromstring(chart.svg(data)).findall(f"{SVG}circle")[1:] == []  # the legend's alone


def test_every_row_reports_something_and_curves_have_names() -> None:
    assert all(row.metrics for row in WORKLOADS.values())
    assert {row.curve for row in WORKLOADS.values()} == {"", *CURVES}
