"""What the integration tests share beside tests/conftest.py: a Runner for each loop, and certificates."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from certificates import CA

WITHIN_SECONDS = 25.0  # less than a test's timeout, so that a stuck test fails with its coroutine's traceback

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def run(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> Run:
    """Runs one coroutine as a program would: on a loop of its own, under asyncio.Runner, shut down at the end.

    Fails if anything reached the loop's exception handler meanwhile.
    """

    def run_on_a_fresh_loop(main: Coroutine[Any, Any, Any]) -> Any:
        unhandled: list[dict[str, Any]] = []
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.get_loop().set_exception_handler(lambda _, context: unhandled.append(context))
            result = runner.run(asyncio.wait_for(main, WITHIN_SECONDS))
        assert not unhandled, unhandled
        return result

    return run_on_a_fresh_loop


class Tls(NamedTuple):
    """Contexts for both ends of a TLS connection to "localhost", with a certificate authority of our own."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    demanding_server: ssl.SSLContext
    """Wants the client's certificate."""
    certified_client: ssl.SSLContext
    """Has one, for "client@example.org"."""
    ca_file: Path
    cert_file: Path
    """The server's key and certificate."""
    key_file: Path
    """The server's key alone."""


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    directory = tmp_path_factory.mktemp("tls")
    authority = CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    demanding_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(demanding_server)
    authority.configure_trust(demanding_server)
    demanding_server.verify_mode = ssl.CERT_REQUIRED
    certified_client = ssl.create_default_context()
    authority.configure_trust(certified_client)
    authority.issue_cert("client@example.org").configure_cert(certified_client)
    ca_file, cert_file, key_file = directory / "ca.pem", directory / "server.pem", directory / "server.key"
    authority.cert_pem.write_to_path(str(ca_file))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(cert_file))
    certificate.private_key_pem.write_to_path(str(key_file))
    return Tls(server, client, demanding_server, certified_client, ca_file, cert_file, key_file)
