"""How long is measured, in how many windows, and where."""

from __future__ import annotations

from dataclasses import dataclass

from suite.loops import LIMIT
from suite.workload import Workload

LIMIT_WARMUP_S = 1.0
"""At most, for the servers in C: they have nothing to compile, and TCP's windows are open by then."""


@dataclass(frozen=True)
class Settings:
    """What the command line says. *duration_s* is for one loop in one round, all its windows together.

    A core of ``None`` leaves that process unpinned.
    """

    warmup_s: float
    duration_s: float
    windows: int
    loop_core: int | None
    load_core: int | None

    @property
    def window_s(self) -> float:
        return self.duration_s / self.windows

    def warmup_of(self, row: Workload, loop: str) -> float:
        """Give the seconds of warm-up for *loop* in *row*."""
        return min(self.warmup_s, LIMIT_WARMUP_S) if loop == LIMIT else self.warmup_s * row.warmups
