"""Whether the fields of this interpreter's objects are found that the engine works without, but slower."""

from __future__ import annotations

import contextvars

from jvloop import _layout


def test_fields_are_found_among_remains() -> None:
    """Behind a C int in an object lies what its memory held before."""
    size = contextvars.Context.__basicsize__
    expected = _layout.offsets()
    for byte in (b"\x7f", b"\x01", b"\xff"):
        # None is left in CPython's free list, so that the next ones are made in the memory of the others.
        kept = [contextvars.Context() for _ in range(300)]
        remains = [byte * (size - bytes.__basicsize__ + number % 32) for number in range(4000)]
        del remains
        assert _layout.offsets() == expected
        del kept
    assert expected["context_variables"]
    assert expected["thread_context"]
    assert expected["future_loop"]
    assert expected["socket_fd"]
    assert expected["socket_timeout"]
    assert expected["memoryview_buffer"]
    assert expected["memoryview_flags"]
