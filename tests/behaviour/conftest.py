"""Fixtures of the behaviour tests beside tests/conftest.py's."""

from __future__ import annotations

import pytest

from .tls_support import Tls


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Certificates and contexts."""
    return Tls(tmp_path_factory.mktemp("tls"))
