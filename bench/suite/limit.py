"""The C programs: the load generators, and the bare servers that are the limit; and the certificate of the TLS rows."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_SOURCES = Path(__file__).resolve().parents[1] / "limit"


class CompileError(Exception):
    """The C programs cannot be had here; the message says why."""


def _compiler() -> str:
    found = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if found is None:
        raise CompileError("the load generator is written in C and no compiler was found: install one, or set CC")
    return found


def compile_programs(tls: bool = False) -> Path:
    """Compile the C programs into a cache folder named by their source, and give that folder.

    *tls*: those that need OpenSSL (``tls_*``) instead of the others.

    :raises CompileError: there is no C compiler, or it refuses.
    """
    files = sorted([*_SOURCES.glob("*.c"), *_SOURCES.glob("*.h")])
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "jvloop-bench" / digest
    for source in files:
        program = folder / source.stem
        if source.suffix != ".c" or source.name.startswith("tls_") != tls or program.exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        partial = program.with_suffix(f".{os.getpid()}")
        command = [_compiler(), "-O2", "-Wall", "-Wextra", "-o", str(partial), str(source)]
        command += ["-lssl", "-lcrypto"] if tls else []
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            lacks_openssl = tls and ("openssl/" in done.stderr or "-lssl" in done.stderr)
            hint = "OpenSSL's headers are missing: install libssl-dev or openssl-devel" if lacks_openssl else ""
            raise CompileError(hint or f"{command[0]} refused {source.name}:\n{done.stderr}")
        partial.rename(program)
    return folder


def make_certificate(folder: Path) -> Path:
    """Make a self-signed certificate for ``localhost`` with an ECDSA key on P-256; gives the PEM file of both.

    :raises CompileError: there is no ``openssl`` command, or it refuses.
    """
    key, certificate, both = (folder / name for name in ("key.pem", "certificate.pem", "both.pem"))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise CompileError(f"the TLS rows make their certificate by the openssl command: {error}") from None
    if done.returncode:
        raise CompileError(f"openssl made no certificate:\n{done.stderr}")
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both
