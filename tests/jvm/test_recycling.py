"""What the engine keeps for the next callbacks: that it does, and that it ends with the loop."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .support import run_program


@pytest.mark.skipif("t" in sys.abiflags, reason="free-threaded Python counts references in two places")
def test_contexts_are_made_late_and_used_again(tmp_path: Path) -> None:
    """So their fields were found in this interpreter: see jvloop/_layout.py."""
    program = """
        import contextvars, gc, jvloop

        def contexts():
            return {id(obj) for obj in gc.get_objects() if type(obj) is contextvars.Context}

        ran_in = set()

        def run_callbacks():
            for _ in range(1000):
                loop.call_soon(lambda: ran_in.add(frozenset(contexts() - before)))
            loop.call_soon(loop.stop)
            assert contexts() - before <= kept, contexts() - before
            loop.run_forever()

        kept = set()
        loop = jvloop.new_event_loop()
        before = contexts()
        run_callbacks()
        kept = contexts()
        assert len(kept - before) == 1, kept - before
        assert ran_in == {frozenset(kept - before)}, ran_in
        run_callbacks()
        assert contexts() == kept
        assert len(ran_in) == 1, ran_in
        loop.close()
        gc.collect()
        assert contexts() <= before, contexts() - before
        """
    run_program(program, cwd=tmp_path)
