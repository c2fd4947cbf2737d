"""A real application on jvloop, asyncio and uvloop, side by side: what ``make run`` shows.

Starts ``examples/fastapi_app.py`` under uvicorn once per loop. A client in a process of its own first checks with httpx
that each server answers rightly, then keeps them busy in turns and measures. A turn is short, and a ratio is that of
two turns next to each other, since what a machine gives changes within seconds. Ends with 1 and the reason if anything
fails.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from suite import loops

BENCH = Path(__file__).resolve().parent
EXAMPLES = BENCH.parent / "examples"
START_TIMEOUT_S = 30.0
CLIENT_TIMEOUT_S = 60.0
"""Of the client, beyond the time that it is asked to take."""
UVICORN_LOOPS = {"asyncio": "asyncio", "uvloop": "uvloop", "jvloop": "jvloop:new_event_loop"}


class DemoError(Exception):
    """The demonstration cannot go on; the message says why."""


@dataclass
class Contender:
    """One loop with its running server and what was measured on it."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    requests_per_s: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)


def _environment() -> dict[str, str]:
    return {**loops.environment(), "PYTHONUNBUFFERED": "1"}


@contextmanager
def serving(loop: str) -> Iterator[Contender]:
    """Run the application under uvicorn on *loop* and give it once it accepts connections.

    :raises DemoError: it does not start, or does not stop when asked.
    """
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--host", "127.0.0.1", "--port", "0"]
    command += ["--http", "httptools", "--no-access-log", "--loop", UVICORN_LOOPS[loop], "fastapi_app:app"]
    with tempfile.NamedTemporaryFile("rb") as log, open(log.name, "wb") as log_writer:
        process = subprocess.Popen(command, env=_environment(), stderr=log_writer, stdout=log_writer)
        try:
            yield Contender(loop, _wait_for_address(process, Path(log.name), loop), process)
            process.terminate()
            process.wait(10)
            # uvicorn raises the signal again once it has shut down.
            if b"Application shutdown complete" not in log.read():
                raise DemoError(f"the server on {loop} did not shut down in order (exit code {process.returncode})")
        except subprocess.TimeoutExpired:
            raise DemoError(f"the server on {loop} did not stop within 10 s of SIGTERM") from None
        finally:
            process.kill()
            process.wait()


def _wait_for_address(process: subprocess.Popen[bytes], log: Path, loop: str) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        text = log.read_text()
        if found := re.search(r"running on (http://[\d.:]+)", text):
            return found[1]
        if process.poll() is not None:
            raise DemoError(f"the server on {loop} ended with exit code {process.returncode}: {_reason(text)}")
        time.sleep(0.02)
    raise DemoError(f"the server on {loop} did not start within {START_TIMEOUT_S:.0f} s: {_reason(log.read_text())}")


def _reason(log: str) -> str:
    """Give the last exception's own line of a log, or else its last lines."""
    errors = re.findall(r"^[\w.]+(?:Error|Exception)\b.*", log, re.MULTILINE)
    return str(errors[-1]) if errors else "\n".join(log.splitlines()[-10:]) or "it said nothing"


def client(*arguments: str, takes_s: float = 0.0) -> Any:
    """Run the client and give what it prints.

    :raises DemoError: it met a wrong answer, or none.
    """
    command = [sys.executable, "-m", "suite.http_client", *arguments]
    try:
        done = subprocess.run(command, cwd=BENCH, capture_output=True, text=True, timeout=takes_s + CLIENT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise DemoError(f"the client did not end within {takes_s + CLIENT_TIMEOUT_S:.0f} s") from None
    if done.returncode:
        raise DemoError(done.stderr.strip())
    return json.loads(done.stdout)


def load(contenders: list[Contender], connections: int, warmup_s: float, turns: int, seconds: float) -> None:
    """Keep the servers busy in turns; the contenders get their figures.

    :raises DemoError: an answer was wrong, or none came.
    """
    servers = [f"{each.url}={each.process.pid}" for each in contenders]
    options = ["--connections", connections, "--warmup", warmup_s, "--turns", turns, "--seconds", seconds]
    takes_s = len(contenders) * (warmup_s + turns * seconds)
    try:
        figures = client("load", *servers, *map(str, options), takes_s=takes_s)
    except DemoError as error:
        by_url = {each.url: each.name for each in contenders}
        raise DemoError(re.sub(r"http://[\d.:]+\d", lambda url: by_url.get(url[0], url[0]), str(error))) from None
    for contender, of_turns in zip(contenders, figures, strict=True):
        contender.requests_per_s = [each["requests_per_s"] for each in of_turns]
        contender.cpu_us = [each["cpu_us"] for each in of_turns]


def ratio(better: list[float], worse: list[float]) -> str:
    """Give the median of the turns' ratios with the span of the middle half."""
    ratios = [one / other for one, other in zip(better, worse, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return f"{middle:.2f}x ({low:.2f} to {high:.2f})"


def table(contenders: list[Contender]) -> str:
    """Give the comparison; ratios above 1 are better than asyncio."""
    base = next(each for each in contenders if each.name == "asyncio")
    lines = [
        "  loop      requests/s   vs asyncio              server CPU per request   vs asyncio",
        "  --------  ----------   ---------------------   ----------------------   ---------------------",
    ]
    for each in contenders:
        rate, cpu = statistics.median(each.requests_per_s), statistics.median(each.cpu_us)
        faster, cheaper = ratio(each.requests_per_s, base.requests_per_s), ratio(base.cpu_us, each.cpu_us)
        lines.append(f"  {each.name:8}  {rate:10,.0f}   {faster:21}   {cpu:19.1f} us   {cheaper}")
    return "\n".join(lines)


def show(names: list[str], turns: int, warmup_s: float, seconds: float, connections: int) -> None:
    """Run the demonstration.

    :raises DemoError: anything went wrong.
    """
    print(f"FastAPI under uvicorn, CPython {platform.python_version()}, {connections} connections")
    with ExitStack() as stack:
        contenders = []
        for name in names:
            contender = stack.enter_context(serving(name))
            try:
                checked = client("check", contender.url, name)
            except DemoError as error:
                raise DemoError(f"{name}: {error}") from None
            print(
                f"  {name:8} {contender.url}, on {checked['event_loop']}: {checked['checks']} checks passed", flush=True
            )
            contenders.append(contender)
        extent = f"{warmup_s:g} s of warm-up for each, then {turns} turns of {seconds:g} s for each"
        print(f"{extent}: {len(names) * (warmup_s + turns * seconds):.0f} s in all", flush=True)
        load(contenders, connections, warmup_s, turns, seconds)
    print(f"\n{table(contenders)}\n")
    print("Ratios: the median of turns next to each other (middle half). Every answer was compared with the right one.")
    print("`make bench` measures with more care.")


def choose() -> list[str]:
    """Give the loops of the comparison.

    :raises DemoError: something that the demonstration needs is not installed.
    """
    missing = [name for name in ("fastapi", "uvicorn", "httptools", "httpx") if not importlib.util.find_spec(name)]
    if missing:
        raise DemoError(f"the demonstration needs {', '.join(missing)}: pip install {' '.join(missing)}")
    if not loops.make_importable("jvloop"):
        raise DemoError("jvloop is not installed in this environment: pip install dist/jvloop-*.whl, or use make run")
    return [name for name in UVICORN_LOOPS if loops.make_importable(name)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=16, help="of each server")
    parser.add_argument("--warmup", type=float, default=5.0, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=0.25, help="of one turn")
    parser.add_argument("--connections", type=int, default=32)
    arguments = parser.parse_args()
    try:
        show(choose(), arguments.turns, arguments.warmup, arguments.seconds, arguments.connections)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
