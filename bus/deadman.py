"""The dead man's handle: ends the process when a call of the Kafka client does not come back long after its time.

A call into the client can block past the time-out that it was given (librdkafka's issue 5456: sending offsets to a
transaction, while the group's coordinator is away). Nothing in the thread that waits can end that, so another does, and
the process ends as by a kill: its transaction was not committed, and its successor goes on from the last that was.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from seamwatch.errors import UnreachableError

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 1.0


class DeadMan:
    """Watches the calls of one thread, from a thread of its own that lives as long as the process."""

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._call: tuple[float, str] | None = None
        self._looks = False

    @contextmanager
    def within(self, seconds: float, doing: str) -> Iterator[None]:
        """Let what is inside, described by ``doing``, take so long at most: the process ends when it takes longer."""
        if not self._looks:
            self._looks = True
            threading.Thread(target=self._look, name="dead man's handle", daemon=True).start()
        self._call = (time.monotonic() + seconds, doing)
        try:
            yield
        finally:
            self._call = None

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            call = self._call
            if call is not None and time.monotonic() > call[0]:
                self._end(call[1])

    def _end(self, doing: str) -> None:
        said = f"{self._whose}: {doing}: the Kafka client has not come back from a call long after its time; ending"
        log.error("the client is stuck", doing=doing, whose=self._whose)
        sys.stderr.write(f"seamwatch: {said}\n")
        sys.stderr.flush()
        os._exit(UnreachableError.exit_code)
