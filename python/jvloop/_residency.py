"""Gives back the pages of the JVM's library that only its own start needed.

Of libjvm's code and constants some 16 MiB are resident once the engine has started, and half of that does not run again
soon: it is the start itself, and what the kernel mapped around it, 64 KiB at a time. They are clean pages of the page
cache. Told that they are not needed, the kernel takes them out of this process and leaves them in the cache; what runs
again is mapped again by a minor fault. docs/startup.md has the figures: 10 MiB less after a start, 4 to 7 in a server,
for 1.5 ms.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress

_NEVER_WRITTEN = (b"r-xp", b"r--p")
_MADV_DONTNEED = 4  # that of every architecture; the module mmap is a library to load
_PAGEMAP_ENTRY_BYTES = 8
_CLEAN = b"\x00\x01\x20\x21\xa0\xa1"
"""The highest byte of an entry of /proc/PID/pagemap: a page that is not there, or one of the file. (Bit 63 is
"present", 62 "swapped", 61 "of a file", 56 "mapped here only". A page that was written, as by the dynamic linker or
for a debugger's breakpoint, is a copy, and no page of the file any more.)"""


def release_library(path: str) -> None:
    """Lets go of the code and constants of the library that was loaded from there. Any thread, while others run in it.

    What cannot be looked at, or has a page of this process's own, stays as it is.
    """
    with suppress(OSError):
        madvise = ctypes.CDLL(None).madvise
        madvise.argtypes = [ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
        for start, end in _never_written(os.fsencode(os.path.realpath(path))):
            if _is_clean(start, end):
                madvise(start, end - start, _MADV_DONTNEED)


def _never_written(path: bytes) -> Iterator[tuple[int, int]]:
    """Where the file's mappings that nobody writes to are. Plain comparisons: a pattern for the lines takes 0.5 ms."""
    with open("/proc/self/maps", "rb") as maps:
        lines = [line for line in maps.read().splitlines() if line.endswith(path)]
    for line in lines:
        addresses, permissions, _, _, _, name = line.split(maxsplit=5)
        if name == path and permissions in _NEVER_WRITTEN:
            start, _, end = addresses.partition(b"-")
            yield int(start, 16), int(end, 16)


def _is_clean(start: int, end: int) -> bool:
    """Whether all pages of a mapping are the file's: the kernel would give those back, and no others."""
    page = os.sysconf("SC_PAGESIZE")
    first, count = start // page, (end - start) // page
    pagemap = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
    try:
        entries = os.pread(pagemap, count * _PAGEMAP_ENTRY_BYTES, first * _PAGEMAP_ENTRY_BYTES)
    finally:
        os.close(pagemap)
    flags = entries[_PAGEMAP_ENTRY_BYTES - 1 :: _PAGEMAP_ENTRY_BYTES]
    return len(flags) == count and not flags.translate(None, _CLEAN)
