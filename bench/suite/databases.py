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


def _postgresql(port: int, folder: Path) -> Command:
    # Debian keeps the programs of each version in a folder of its own, off the search path.
    programs = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    newest = max(programs, key=lambda path: int(path.parts[-3]), default=shutil.which("initdb"))
    if newest is None:
        raise MissingServerError("PostgreSQL is not installed: apt install postgresql")
    data = folder / "data"
    as_user: list[str] = []
    if os.geteuid() == 0:
        # It refuses to run as root.
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    make = ["setpriv", *as_user, str(newest), "-D", str(data), "-U", USER, "-A", "trust", "--no-locale", "--no-sync"]
    subprocess.run(make, cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    settings = {"port": port, "listen_addresses": HOST, "unix_socket_directories": folder, "fsync": "off"}
    command = [str(Path(newest).resolve().parent / "postgres"), "-D", str(data)]
    return as_user, command + [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]


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
