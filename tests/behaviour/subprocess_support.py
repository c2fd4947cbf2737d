"""What the tests of subprocesses share."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from typing import Any


async def python(code: str, *args: str, **kwargs: Any) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-S", "-E", "-c", code, *args, **kwargs)


async def sleeper(**kwargs: Any) -> Process:
    return await asyncio.create_subprocess_exec("sleep", "1000", **kwargs)
