"""Fixtures of the behaviour tests beside tests/conftest.py's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest

from .tls_support import Tls


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Certificates and contexts."""
    return Tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def no_watcher_is_left() -> Iterator[None]:
    """Lets the policy's child watcher go afterwards: on 3.11 it keeps its threads, and they their loop."""
    yield
    if sys.version_info < (3, 14):
        vars(asyncio.get_event_loop_policy())["_watcher"] = None
