"""``python -m jvloop doctor``: says what jvloop found in this environment, and whether a loop really works here."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import platform
import shlex
import sys
import time

import jvloop
from jvloop import _aot_cache
from jvloop._jvm import engine_info

_HANG_TIMEOUT_S = 60.0
_VARIABLES = (
    "JVLOOP_JAVA_HOME",
    "JVLOOP_JVM_OPTIONS",
    "JVLOOP_ENGINE_JAR",
    "JVLOOP_CACHE",
    "JAVA_HOME",
    "JAVA_TOOL_OPTIONS",
)


def main() -> int:
    """Prints the report; returns 0 if a loop works, else 1. A loop that hangs ends the process with code 1."""
    _line("jvloop", jvloop.__version__)
    _line("Python", f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}")
    _line("system", f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} CPUs")
    for name in _VARIABLES:
        if name in os.environ:
            _line("set", f"{name}={os.environ[name]}")
    faulthandler.dump_traceback_later(_HANG_TIMEOUT_S, exit=True)
    try:
        return _examine()
    finally:
        faulthandler.cancel_dump_traceback_later()


def _examine() -> int:
    started = time.perf_counter()
    try:
        loop = jvloop.new_event_loop()
    except jvloop.JvmError as error:
        _line("loop", f"FAILED to start: {error}")
        return 1
    ready = time.perf_counter()
    _print_engine(ready - started)
    try:
        loop.run_until_complete(_exercise())
    except Exception as error:
        _line("loop", f"FAILED: {type(error).__name__}: {error}")
        return 1
    finally:
        loop.close()
    _line("loop", f"works: callbacks, a timer, a thread and a TCP echo took {_ms(time.perf_counter() - ready)}")
    return 0


def _print_engine(seconds: float) -> None:
    info = engine_info()
    if info is None:
        raise RuntimeError("a loop exists, but no engine was started for it")
    _line("Java", f"{info.java_version}, {info.java_home}")
    _line("found by", info.found_by)
    _line("engine", info.jar)
    _line("options", "those of whoever started the JVM" if info.attached else shlex.join(info.options))
    _line("AOT cache", _aot_cache.as_it_turned_out(info.aot_cache))
    verb = "attach" if info.attached else "JVM"
    _line("start", f"{_ms(seconds)}: {verb} {_ms(info.jvm_start_s)}, engine {_ms(info.bootstrap_s)}")


async def _exercise() -> None:
    """Uses each of the loop's main parts once. Raises if one gives a wrong result."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_HANG_TIMEOUT_S / 2):
        before = loop.time()
        await asyncio.sleep(0.001)
        if loop.time() - before < 0.001:
            raise RuntimeError("a timer fired early")
        if await loop.run_in_executor(None, lambda: 6 * 7) != 42:
            raise RuntimeError("a thread's result came back wrong")
        server = await asyncio.start_server(_echo, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"doctor")
            writer.write_eof()
            if await reader.read() != b"doctor":
                raise RuntimeError("a TCP echo came back wrong")
            writer.close()
            await writer.wait_closed()
    await loop.shutdown_default_executor()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read())
    writer.close()
    await writer.wait_closed()


def _line(name: str, value: str) -> None:
    print(f"{name:<9} {value}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
