"""The JVM's own limits of memory, which a program that knows nothing of Java is not to meet; and how memory is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import Jdk
from .support import run_program


def test_many_open_loops_stay_far_below_the_limit_of_direct_memory(tmp_path: Path, jdk: Jdk) -> None:
    """With 4 MiB for a hundred loops as with the default of 128 MiB for thousands."""
    program = """
        import jvloop

        loops = [jvloop.new_event_loop() for _ in range(100)]
        for loop in loops:
            loop.call_soon(loop.stop)
            loop.run_forever()
            loop.close()
        """
    run_program(program, cwd=tmp_path, JVLOOP_JAVA_HOME=jdk.home, JVLOOP_JVM_OPTIONS="-XX:MaxDirectMemorySize=4m")


_UNSAFE = "sun.misc.Unsafe "


@pytest.mark.parametrize(
    ("option", "used"),
    [
        ("-Dsome=thing", True),
        ("-Dsun.misc.unsafe.memory.access=deny", False),
        ("-Dsun.misc.unsafe.memory.access=warn", False),
    ],
)
def test_unsafe_is_used_without_a_warning_or_not_at_all(tmp_path: Path, jdk: Jdk, option: str, used: bool) -> None:
    program = """
        import asyncio, jvloop

        async def main():
            reader, writer = await asyncio.open_connection(sock=left)
            writer.write(b"over Java's memory")
            assert await asyncio.get_running_loop().sock_recv(right, 100) == b"over Java's memory"
            writer.close()

        import socket
        left, right = socket.socketpair()
        right.setblocking(False)
        jvloop.run(main())
        right.close()
        """
    options = f"{option} -Xlog:class+load:file={tmp_path}/classes"
    done = run_program(program, cwd=tmp_path, JVLOOP_JAVA_HOME=jdk.home, JVLOOP_JVM_OPTIONS=options)
    assert done.stderr == ""
    loaded = "".join(path.read_text() for path in tmp_path.glob("classes*"))
    assert "dev.jvloop.foreign.Memory " in loaded
    assert (_UNSAFE in loaded) == used


def test_a_start_compiles_nothing_that_takes_megabytes(tmp_path: Path, jdk: Jdk) -> None:
    """One method of the JDK took 7.6 MB of its compiler, which the process then had for seconds."""
    program = """
        import jvloop

        loop = jvloop.new_event_loop()
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()
        """
    options = "-XX:CompileCommand=MemStat,*.*,print"
    done = run_program(program, cwd=tmp_path, JVLOOP_JAVA_HOME=jdk.home, JVLOOP_JVM_OPTIONS=options)
    taken = {method: int(size) for method, size in re.findall(r"Arena usage (.+): Total Usage: (\d+)", done.stderr)}
    assert taken, done.stderr
    assert {method: size for method, size in taken.items() if size > 2_000_000} == {}
