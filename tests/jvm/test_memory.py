"""The JVM's own limits of memory, which a program that knows nothing of Java is not to meet."""

from __future__ import annotations

from pathlib import Path

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
