"""A real database server for the rows of clients: ``python -m suite.databases --kind redis --folder FOLDER``.

Once it takes connections it prints ``{"port": ...}``; it ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from suite import child

HOST = "127.0.0.1"
USER = "bench"
Command = tuple[list[str], list[str]]
"""setpriv's options for the user that the server runs as, and how it is called."""
_START_WITHIN_S = 20.0
_LOOK_EACH_S = 0.02


class MissingServerError(Exception):
    """There is no such server here; the message says how to get it."""


def _redis(port: int, folder: Path) -> Command:
    program = shutil.which("redis-server")
    if program is None:
        raise MissingServerError("redis-server is not installed: apt install redis-server")
    return [], [program, "--bind", HOST, "--port", str(port), "--save", "", "--dir", str(folder)]


def postgresql_cluster(folder: Path, user: str) -> Command:
    """Make a new PostgreSQL cluster in *folder* that trusts everyone on this machine, with *user* as its superuser.

    Gives how it is served: setpriv's options, and the start of the command. *folder* belongs then to whom it runs as.

    :raises MissingServerError: it is not installed, or there is nobody whom it would run as.
    """
    # Debian keeps the programs of each version in a folder of its own, off the search path.
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    newest = max(found, key=lambda path: int(path.parts[-3]), default=shutil.which("initdb"))
    if newest is None:
        raise MissingServerError("PostgreSQL is not installed: apt install postgresql")
    programs, data = Path(newest).resolve().parent, folder / "data"
    as_user: list[str] = []
    if os.geteuid() == 0:
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            raise MissingServerError("PostgreSQL does not run as root, and there is no user postgres here") from None
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_user = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    make = [programs / "initdb", "-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    called = ["setpriv", *as_user, *map(str, make)]
    subprocess.run(called, cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return as_user, [str(programs / "postgres"), "-D", str(data)]


def postgresql_settings(settings: Mapping[str, object]) -> list[str]:
    """Give *settings* as the arguments of PostgreSQL's server."""
    return [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]


def _postgresql(port: int, folder: Path) -> Command:
    as_user, command = postgresql_cluster(folder, USER)
    settings = {"port": port, "listen_addresses": HOST, "unix_socket_directories": folder, "fsync": "off"}
    return as_user, command + postgresql_settings(settings)


_KINDS = {"redis": _redis, "postgresql": _postgresql}
KINDS = tuple(_KINDS)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_WITHIN_S
    while True:
        try:
            socket.create_connection((HOST, port), 1).close()
            return
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_EACH_S)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", required=True, choices=KINDS)
    parser.add_argument("--folder", type=Path, required=True, help="an empty one, for its files")
    parser.add_argument("--cpu", type=int, default=None, help="core for the server")
    arguments = parser.parse_args()
    child.pin_this_thread(arguments.cpu)
    port, folder = _free_port(), arguments.folder
    try:
        as_user, command = _KINDS[arguments.kind](port, folder)
    except MissingServerError as error:
        print(error, file=sys.stderr)
        return 1
    # The kernel ends it with this process, however that ends. SIGINT is PostgreSQL's quick way.
    command = ["setpriv", *as_user, "--pdeathsig", "INT", *command]
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_until_it_listens(server, port)
        child.say(port=port)
        sys.stdin.read()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
