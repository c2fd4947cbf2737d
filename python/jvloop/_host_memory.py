"""Views of the memory of Java's arenas that can be closed, so that closing releases them.

ViewedArena.java has the other half.
"""

from __future__ import annotations

import contextlib
import weakref
from typing import Any

_Views = dict[int, weakref.ref[memoryview]]


def new_views() -> _Views:
    """The views of an arena, by the ids of the references to them: a memoryview may have no hash."""
    return {}


def new_view(memory: Any, views: _Views) -> memoryview:
    view = memoryview(memory)
    reference = weakref.ref(view, lambda dead: views.pop(id(dead), None))
    views[id(reference)] = reference
    return view


def release_views(views: _Views) -> None:
    """Releases those that nothing was made of: of the memory that others still have, Java knows."""
    for reference in list(views.values()):
        view = reference()
        if view is not None:
            with contextlib.suppress(BufferError):
                view.release()


HELPERS = (new_views, new_view, release_views)
