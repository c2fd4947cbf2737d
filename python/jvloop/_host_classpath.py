"""Java code that a Python program brings along: ``jvloop.jvm``."""

from __future__ import annotations

import atexit
import errno
import os
import threading
from collections.abc import Iterable

from jvloop import _bindings, _fork, _host_functions, _jvm
from jvloop._loop import Loop

ATTACHMENT_CLASS = "dev.jvloop.host.Attachment"

_lock = threading.Lock()


def add(classpath: Iterable[str | os.PathLike[str]]) -> None:
    """See ``jvloop.jvm``."""
    paths = tuple(os.path.abspath(os.fspath(entry)) for entry in classpath)
    for path in paths:
        if not os.path.exists(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    _bindings.start_engine(Loop)
    with _lock:
        if not _host_functions.has_host():
            _attach()
    if paths:
        _host_functions.host()._add_modules(paths)
        for path in paths:
            _jvm.keep_from_children(path)


def _attach() -> None:
    # Not before: a program that Java started has imported it already, and others need it here only.
    from jvloop import _host

    _jvm.start_more(ATTACHMENT_CLASS, _host.make_host_block())
    atexit.register(_end)


def _end() -> None:
    """Java threads that wait for Python must not meet one that has ended."""
    if not _fork.jvm_is_gone:
        _host_functions.host()._end()
