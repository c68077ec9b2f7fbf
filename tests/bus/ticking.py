"""A loop that produces a record every so often although no message comes; run as a process of its own, to be paused.

    python -m tests.bus.ticking BOOTSTRAP GROUP INSTANCE INPUT OUTPUT

On SIGUSR1 it stops itself in the middle of its next round, as SIGSTOP would; SIGCONT lets it go on.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence

from bus.batches import Batch
from bus.loop import Loop, Output
from bus.loop_settings import LoopSettings
from bus.partitions import Partition

EVERY_SECONDS = 0.3


class Ticking:
    """Says its name and how often it has been assigned something, always to the same partition, while it is."""

    def __init__(self, name: str, topic: str) -> None:
        self._name = name
        self._topic = topic
        self._assignments = 0
        self._ours = False
        self._at = 0.0
        self._asked = False
        signal.signal(signal.SIGUSR1, self._stop_soon)

    def _stop_soon(self, *_: object) -> None:
        self._asked = True

    def assigned(self, positions: Mapping[Partition, int | None]) -> None:
        self._ours = True
        self._assignments += 1

    def forget(self) -> None:
        self._ours = False

    def due(self) -> bool:
        return self._ours and time.monotonic() - self._at >= EVERY_SECONDS

    def compute(self, batch: Batch) -> Sequence[Output]:
        assert not len(batch)
        self._at = time.monotonic()
        if self._asked:
            self._asked = False
            os.kill(os.getpid(), signal.SIGSTOP)
        return [Output(self._topic, f"{self._name}/{self._assignments}".encode(), partition=0)]


if __name__ == "__main__":
    bootstrap, group, instance, source, target = sys.argv[1:]
    Loop(LoopSettings(bootstrap, group, instance, (source,)), Ticking(instance, target)).run()
