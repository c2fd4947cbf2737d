"""Measure Python called from Java, on jvloop and on JEP: ``tools/bench-host.sh`` prepares everything and calls this.

The benchmarks are JMH's (``engine/src/jmh-host``), each in a process of its own. A round runs every row on one host
after the other, each round beginning with the other host. What is not an option here is an argument of JMH's.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from suite import header
from suite.figures import Rounds
from suite.report import cell_key, table
from suite.workload import P50, P99, RATE, WALL, Metric, Workload

JVLOOP, JEP = "jvloop", "jep"


def _row(name: str, title: str, *metrics: Metric) -> Workload:
    return Workload(name, "", title, "jmh", metrics or (WALL,))


CALLS = (
    _row("squareRoot", "`math.sqrt(2.0)`, with the function at hand; a double there and a double back"),
    _row("squareRootByName", "the same by name: jvloop by module and function, JEP by a name in the main namespace"),
    _row("upper", "`str.upper` of a text of 24 characters, with the function at hand; a `String` there and back"),
    _row("sorted", "`sorted` of 100 ints, with the function at hand; an `int[]` there and a `List` back"),
    _row("attribute", "an int attribute of an object at hand"),
    _row("lastByte", "the last byte of a bytes object of 1 MiB: jvloop by a `MemorySegment` on it, JEP by a copy"),
    _row("execute", "`number = 1` as source text, which has to be compiled"),
    _row("fail", "a Python function that raises ValueError, caught as a Java exception whose message is read"),
)
COROUTINES = (
    _row("roundTrip", "a coroutine that returns its argument: submitted by a platform thread, which waits", P50, P99),
    _row("roundTripVirtual", "the same by a virtual thread", P50, P99),
    _row("roundTripExecutor", "no Python: a task to a single Java thread and back, the cost of the wake-ups", P50, P99),
    _row("batchOf1000", "such coroutines, 1,000 submitted at once by one thread, which then waits for all", RATE),
    _row("batchOf10000", "the same with 10,000", RATE),
    _row("windowOf1000", "the same, 1,000 in flight all the time; a stage of each future has the next submitted", RATE),
)
ROWS = CALLS + COROUTINES


class RunError(Exception):
    """JMH itself failed; the text says where its output is."""


def parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--java", type=Path, required=True, help="the java program")
    parser.add_argument("--classpath", required=True, help="the benchmarks, the engine, JMH and JEP")
    parser.add_argument("--jep", type=Path, metavar="FILE", help="libjep.so; without it jvloop is measured alone")
    parser.add_argument("--only", default="", metavar="NAME[,NAME]", help="names of rows")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, required=True, metavar="FILE")
    parser.add_argument("--markdown", type=Path, required=True, metavar="FILE")
    parser.add_argument("--log", type=Path, required=True, metavar="FILE", help="for JMH's own output")
    parser.add_argument("--commit", default="", help="for the header, where there is no git to ask")
    return parser.parse_known_args()


def run_round(arguments: argparse.Namespace, jmh_arguments: list[str], hosts: list[str]) -> list[dict[str, Any]]:
    """Run all rows once on each of *hosts*, in their order; give JMH's results.

    :raises RunError: there are none.
    """
    names = [name for name in arguments.only.split(",") if name]
    options = ["--enable-native-access=ALL-UNNAMED", f"-Djvloop.benchmark.python={sys.executable}"]
    if arguments.jep:
        options.append(f"-Djvloop.benchmark.jep={arguments.jep}")
    results = arguments.log.with_suffix(".jmh.json")
    results.unlink(missing_ok=True)
    command = [arguments.java, "--sun-misc-unsafe-memory-access=allow", "-cp", arguments.classpath]
    command += ["org.openjdk.jmh.Main", *(rf"\.{name}$" for name in names), "-p", f"host={','.join(hosts)}"]
    command += ["-jvmArgsPrepend", " ".join(options), "-rf", "json", "-rff", results, *jmh_arguments]
    with arguments.log.open("a") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT)
    if done.returncode or not results.exists():
        raise RunError(f"JMH ended with status {done.returncode} and has no results: see {arguments.log}")
    found: list[dict[str, Any]] = json.loads(results.read_text())
    results.unlink()
    return found


def _figures(result: dict[str, Any]) -> dict[str, float]:
    """Give what JMH measured by the keys of our metrics."""
    measured = result["primaryMetric"]
    if result["mode"] == "sample":
        return {P50.key: measured["scorePercentiles"]["50.0"], P99.key: measured["scorePercentiles"]["99.0"]}
    return {(RATE if result["mode"] == "thrpt" else WALL).key: measured["score"]}


def add_round(results: dict[str, Rounds], found: list[dict[str, Any]], hosts: list[str]) -> None:
    """Add a round's figures to each row and host; ``None`` where a row failed."""
    for row in ROWS:
        name = f".{row.name}"
        chosen = [each for each in found if each["benchmark"].endswith(name)]
        by_host = {each.get("params", {}).get("host", JVLOOP): _figures(each) for each in chosen}
        if by_host or row.name in results:
            for host in hosts if row in CALLS else [JVLOOP]:
                results.setdefault(row.name, {}).setdefault(host, []).append(by_host.get(host))


def make_header(arguments: argparse.Namespace, hosts: list[str], method: str) -> dict[str, str]:
    said = {
        **header.machine(),
        "Python": f"CPython {platform.python_version()}",
        "Java": header.first_line([str(arguments.java), "-version"]),
        "hosts": "jvloop" + (f", JEP {importlib.metadata.version('jep')}" if JEP in hosts else "; JEP is not here"),
        "commit": arguments.commit or header.commit(),
        "method": method,
    }
    policy = header.real_time_policy()
    return {**said, "scheduler": policy} if policy else said


def failures(results: dict[str, Rounds]) -> list[str]:
    return [
        f"`{row}` on {host}"
        for row, rounds in results.items()
        for host, measured in rounds.items()
        if not all(measured)
    ]


def markdown(data: dict[str, Any]) -> str:
    hosts: list[str] = data["hosts"]
    baseline = JEP if JEP in hosts else JVLOOP
    lines = ["# Python called from Java", ""]
    lines += [f"- {name}: {value}" for name, value in data["header"].items()]
    lines += ["", "Ratios: above 1 is better; 2.00x is half the time.", ""]
    lines += [f"| row | figure | {' | '.join(hosts)} |", "| --- " * (2 + len(hosts)) + "|"]
    for row in ROWS:
        lines += table(row, data["results"].get(row.name, {}), hosts, baseline)
    lines += ["", cell_key(baseline)]
    if data["failures"]:
        lines += ["", f"Not measured in every round: {', '.join(data['failures'])}."]
    lines += ["", "## What the rows do", ""]
    lines += [f"- `{row.name}`: {row.title}" for row in ROWS if row.name in data["results"]]
    return "\n".join(lines) + "\n"


def main() -> int:
    arguments, jmh_arguments = parse_arguments()
    hosts = [JVLOOP, JEP] if arguments.jep else [JVLOOP]
    arguments.log.write_text("")
    results: dict[str, Rounds] = {}
    data: dict[str, Any] = {
        "header": make_header(arguments, hosts, f"{arguments.rounds} rounds of JMH, a process for each row and host"),
        "hosts": hosts,
        "results": results,
    }
    for turn in range(arguments.rounds):
        order = hosts if turn % 2 == 0 else hosts[::-1]
        print(f"round {turn + 1} of {arguments.rounds}: {', '.join(order)}", file=sys.stderr, flush=True)
        try:
            add_round(results, run_round(arguments, jmh_arguments, order), hosts)
        except RunError as error:
            print(f"bench-host: {error}", file=sys.stderr)
            return 2
        data["failures"] = failures(results)
        arguments.json.write_text(json.dumps(data, indent=1) + "\n")
        arguments.markdown.write_text(markdown(data))
    print(markdown(data))
    return 1 if data["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
