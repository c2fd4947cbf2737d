"""Real database servers, as the distribution packages them, for the tests to talk to.

Their readiness is what they tell a service manager: both send ``READY=1`` to the datagram socket that the environment
variable NOTIFY_SOCKET names (sd_notify(3)). Nothing polls, and no pipe or thread of ours stays while they run, which
the leak gate would see.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from suite import databases

from .conftest import Tls

HOST = "localhost"
BIND_ADDRESS = "127.0.0.1"
USER = "jvloop"
READY_WITHIN_SECONDS = 20.0
HOW_TO_GET_IT = "tools/test.sh installs it where apt can be used"


class RedisServer(NamedTuple):
    port: int
    tls_port: int
    unix_path: Path
    ca_file: Path


class PostgresqlServer(NamedTuple):
    port: int
    unix_directory: Path


@contextmanager
def redis_server(tls: Tls) -> Iterator[RedisServer]:
    """A Redis without persistence, plain, over TLS and on a Unix socket; skips where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip(f"redis-server is not installed; {HOW_TO_GET_IT}")
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        directory = Path(name)
        port, tls_port = free_ports(2)
        server = RedisServer(port, tls_port, directory / "redis.sock", tls.ca_file)
        settings = {
            "bind": BIND_ADDRESS,
            "port": port,
            "tls-port": tls_port,
            "tls-cert-file": tls.cert_file,
            "tls-key-file": tls.cert_file,
            "tls-ca-cert-file": tls.ca_file,
            "tls-auth-clients": "no",
            "unixsocket": server.unix_path,
            "dir": directory,
            "save": "",
            "supervised": "systemd",
        }
        command = [program]
        for key, value in settings.items():
            command += [f"--{key}", str(value)]
        with serving(command, directory / "log", signal.SIGTERM):
            yield server


@contextmanager
def postgresql_server(tls: Tls) -> Iterator[PostgresqlServer]:
    """A new PostgreSQL cluster that trusts everyone on this machine, plain or over TLS; skips where there is none."""
    # Not below pytest's own folder: that is closed to other users, and too long a path for a Unix socket.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        directory = Path(name)
        try:
            as_user, command = databases.postgresql_cluster(directory, USER)
        except databases.MissingServerError as error:
            pytest.skip(f"{error}; {HOW_TO_GET_IT}")
        key_file = directory / "server.pem"
        shutil.copyfile(tls.cert_file, key_file)
        key_file.chmod(0o600)  # PostgreSQL refuses a private key that others may read
        owner = directory.stat()
        os.chown(key_file, owner.st_uid, owner.st_gid)
        (port,) = free_ports(1)
        settings = {
            "listen_addresses": BIND_ADDRESS,
            "port": port,
            "unix_socket_directories": directory,
            "ssl": "on",
            "ssl_cert_file": key_file,
            "ssl_key_file": key_file,
            "fsync": "off",
        }
        command += databases.postgresql_settings(settings)
        # SIGINT is PostgreSQL's fast shutdown: it ends sessions that are still there.
        with serving(command, directory / "log", signal.SIGINT, as_user):
            yield PostgresqlServer(port, directory)


@contextmanager
def serving(command: list[str], log: Path, stop: signal.Signals, as_user: list[str] | None = None) -> Iterator[None]:
    """The server running, from its READY=1 on; stopped at the end, or by the kernel if this process dies before.

    `as_user` are setpriv's options for the user to run it as.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications, open(log, "w") as output:
        notifications.bind("")  # the kernel gives an abstract name, which every user may send to
        process = subprocess.Popen(
            ["setpriv", *(as_user or []), "--pdeathsig", stop.name, *command],
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "NOTIFY_SOCKET": "@" + notifications.getsockname()[1:].decode()},
        )
        try:
            wait_until_ready(process, notifications, log)
        except BaseException:
            process.kill()
            process.wait()
            raise
    try:
        yield
    finally:
        process.send_signal(stop)
        try:
            code = process.wait(READY_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        assert code == 0, log.read_text()


def wait_until_ready(process: subprocess.Popen[bytes], notifications: socket.socket, log: Path) -> None:
    """Wait for READY=1; fails with the server's log if it ends or the time is up."""
    ended = os.pidfd_open(process.pid)
    try:
        while True:
            readable, _, _ = select.select([notifications, ended], [], [], READY_WITHIN_SECONDS)
            assert notifications in readable, f"{process.args!r} was not ready:\n{log.read_text()}"
            if b"READY=1" in notifications.recv(4096).splitlines():
                return
    finally:
        os.close(ended)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listened on a moment ago: neither server can be told to choose its own."""
    sockets = [socket.create_server((BIND_ADDRESS, 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
