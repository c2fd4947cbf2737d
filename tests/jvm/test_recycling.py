"""What the engine keeps for the next callbacks: that it does, and that it ends with the loop."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .support import run_program


@pytest.mark.skipif("t" in sys.abiflags, reason="free-threaded Python counts references in two places")
def test_contexts_are_used_again(tmp_path: Path) -> None:
    """So their fields were found in this interpreter: see jvloop/_layout.py."""
    program = """
        import contextvars, gc, jvloop

        def contexts():
            return {id(obj) for obj in gc.get_objects() if type(obj) is contextvars.Context}

        def run_callbacks():
            for _ in range(1000):
                loop.call_soon(int)
            loop.call_soon(loop.stop)
            loop.run_forever()

        before = len(contexts())
        loop = jvloop.new_event_loop()
        run_callbacks()
        kept = contexts()
        assert len(kept) - before >= 1000, len(kept)
        run_callbacks()
        assert contexts() == kept
        loop.close()
        gc.collect()
        assert len(contexts()) <= before + 1, len(contexts())
        """
    run_program(program, cwd=tmp_path)
