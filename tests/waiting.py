"""How tests wait for what comes by itself: until it holds, with one patience for all of them.

How long something takes on a machine that does other things beside it says something of the machine: a test waits for
what must come, and how fast it comes is for a benchmark to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 120.0


def wait_for(
    holds: Callable[[], bool],
    what: str | Callable[[], str] = "it",
    *,
    every: float = 0.05,
    patience: float = PATIENCE,
) -> None:
    """Wait until something holds; fail with ``what`` it was when it does not in time.

    Asked ``every`` so many seconds; less often when asking takes long, as a question of the store does: otherwise it
    would hold up what it waits for.
    """
    until = time.monotonic() + patience
    while not _holds(holds, every):
        assert time.monotonic() < until, f"{what if isinstance(what, str) else what()}: waited {patience:.0f} s"


def _holds(condition: Callable[[], bool], every: float) -> bool:
    asked = time.monotonic()
    if condition():
        return True
    time.sleep(min(max(every, 3 * (time.monotonic() - asked)), max(every, 1.0)))
    return False
