"""Compare asyncio event loops: ``python bench/run.py --help``.

A round starts a fresh process for each loop, warms them up one after the other and measures them in short windows by
turns, so that a slow second of the machine meets all of them. The next round begins with another loop.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from pathlib import Path
from typing import Any

from suite import catalog, chart, growth_chart, header, limit, loops, measuring, report, summary
from suite.figures import Rounds
from suite.settings import Settings


def _missing_loops() -> measuring.Failures:
    reason = f"not installed for CPython {platform.python_version()}; make bench installs it where it has a wheel"
    return [
        {"workload": "all rows", "loop": name, "reason": reason}
        for name in loops.NAMES
        if not loops.make_importable(name)
    ]


def choose_loops(asked: list[str]) -> tuple[list[str], measuring.Failures]:
    """Give the loops to run, all that are installed or exactly those asked for, and those that are missing.

    :raises ValueError: an unknown or missing loop was asked for.
    """
    if not asked:
        return [name for name in loops.NAMES if loops.make_importable(name)] + [loops.LIMIT], _missing_loops()
    for name in asked:
        if name == loops.LIMIT:
            continue
        if name not in loops.NAMES:
            raise ValueError(f"no loop is called {name!r}; there are {', '.join((*loops.NAMES, loops.LIMIT))}")
        if not loops.make_importable(name):
            raise ValueError(f"{name} is not installed in {sys.executable}")
    return asked, []


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help="names, parts of names, shell patterns, groups",
    )
    parser.add_argument("--loops", default="", metavar="NAME[,NAME]", help="default: all that are installed, and c")
    parser.add_argument(
        "--baseline", default="uvloop", help="ratios are against this loop (default: uvloop, else asyncio)"
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--warmup", type=float, default=5.0, metavar="SECONDS", help="for every loop alike")
    parser.add_argument(
        "--duration", type=float, default=2.0, metavar="SECONDS", help="measured of each loop in a round"
    )
    parser.add_argument("--windows", type=int, default=5, help="so many, by turns, make up the duration (default: 5)")
    parser.add_argument("--all", action="store_true", help="the extended rows too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, anew after each row")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables there, not only to standard output"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write a chart of the ratios there")
    parser.add_argument("--growth-svg", type=Path, metavar="FILE", help="write a chart of the growth curves there")
    parser.add_argument("--from-json", type=Path, metavar="FILE", help="measure nothing: report what --json wrote")
    parser.add_argument("--commit", default="", help="for the header, where there is no git to ask")
    parser.add_argument("--list", action="store_true", help="list the workloads and end")
    return parser.parse_args()


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what the command line asks and give all figures.

    :raises ValueError: it asks for what is not there.
    :raises limit.CompileError: the C programs cannot be compiled.
    """
    only = [name for each in arguments.only for name in each.split(",") if name]
    chosen = catalog.select(only, arguments.all)
    loop_names, missing = choose_loops([name for name in arguments.loops.split(",") if name])
    baseline = arguments.baseline if arguments.baseline in loop_names else loop_names[0]
    cores = sorted(os.sched_getaffinity(0))
    load_core, loop_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    if min(arguments.rounds, arguments.windows) < 1:
        raise ValueError("--rounds and --windows are 1 at least")
    settings = Settings(arguments.warmup, arguments.duration, arguments.windows, loop_core, load_core)
    if any(workload.how in ("server", "client") and not workload.tls for workload in chosen):
        limit.compile_programs()
    chosen, unmeasured = measuring.without_tls_if_impossible(chosen)
    head = header.make_header(chosen, loop_names, settings, arguments.rounds, arguments.commit)

    def data_of(results: dict[str, Rounds], failures: measuring.Failures) -> dict[str, Any]:
        return {
            "header": {**head, **header.tls_header(results)},
            "loops": loop_names,
            "baseline": baseline,
            "results": results,
            "failures": missing + unmeasured + failures,
        }

    def save(results: dict[str, Rounds], failures: measuring.Failures) -> None:
        if arguments.json:
            write_json(data_of(results, failures), arguments.json)

    return data_of(*measuring.measure_all(measuring.Plan(chosen, loop_names, arguments.rounds, settings), save))


def write_json(data: dict[str, Any], file: Path) -> None:
    file.write_text(json.dumps({**data, "summary": summary.summarize(data)}, indent=1) + "\n")


def main() -> int:
    # As Ctrl-C: the processes that are measured are ended, even those that are stopped just then.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = parse_arguments()
    if arguments.list:
        # As other commands: a reader that has seen enough (`| head`) ends it without a word.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        for workload in catalog.WORKLOADS.values():
            print(f"{workload.name:30}{'(--all) ' if workload.extended else ''}{workload.group}: {workload.title}")
        return 0
    try:
        data = json.loads(arguments.from_json.read_text()) if arguments.from_json else measure(arguments)
    except (ValueError, limit.CompileError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        write_json(data, arguments.json)
    text = report.markdown(data)
    for file, content in (
        (arguments.markdown, text),
        (arguments.svg, chart.svg(data)),
        (arguments.growth_svg, growth_chart.svg(data)),
    ):
        if file:
            file.write_text(content)
    print(text)
    mine = ("jvloop", "asyncio")
    return 1 if any(failure["loop"] in mine for failure in data["failures"]) else 0


if __name__ == "__main__":
    sys.exit(main())
