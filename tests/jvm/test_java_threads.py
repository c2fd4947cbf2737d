"""Java threads that schedule callbacks: JPype's, in a JVM that jvloop attached to."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Jdk
from .support import run_program


def test_call_soon_threadsafe_from_java_threads(tmp_path: Path, jdk: Jdk) -> None:
    """Four Java threads schedule 500 callbacks each; the last one wakes a loop that sleeps with nothing else to do."""
    pytest.importorskip("jpype", reason="JPype has no wheel for this interpreter")
    program = f"""
        import asyncio
        import threading
        import jpype
        import jvloop

        jpype.startJVM({str(jdk.home / "lib/server/libjvm.so")!r}, "--enable-native-access=ALL-UNNAMED", "-Xmx64m")
        loop = jvloop.new_event_loop()
        loop_thread = threading.get_ident()
        seen = []
        callers = set()
        asleep = jpype.java.util.concurrent.CountDownLatch(1)

        def callback(thread, number):
            assert threading.get_ident() == loop_thread
            seen.append((thread, number))
            if len(seen) == 4 * 500:
                loop.stop()

        @jpype.JImplements("java.lang.Runnable")
        class Caller:
            def __init__(self, number):
                self.number = number

            @jpype.JOverride
            def run(self):
                asleep.await_()
                callers.add(threading.get_ident())
                for number in range(500):
                    loop.call_soon_threadsafe(callback, self.number, number)

        threads = [jpype.java.lang.Thread(Caller(number)) for number in range(4)]
        for thread in threads:
            thread.start()
        loop.call_soon(asleep.countDown)
        loop.run_forever()
        for thread in threads:
            thread.join()
        loop.close()
        assert loop_thread not in callers
        for thread in range(4):
            assert [number for which, number in seen if which == thread] == list(range(500))
        print(len(seen))
    """
    assert run_program(program, cwd=tmp_path).stdout == "2000\n"
