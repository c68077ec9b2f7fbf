"""Overdue: does what was put off when its time has come, in one background thread.

For a handful of acts under way, seconds ahead. What it is given to do must not raise.
"""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Callable
from itertools import count

Act = Callable[[], None]


class Overdue:
    """What is put off. Its thread starts with the first of it and ends when nothing is left."""

    def __init__(self) -> None:
        self._numbers = count()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int]] = []
        self._acts: dict[int, Act] = {}
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, act: Act) -> int:
        """Do it so many seconds from now, unless it is `cancel`led by the number that this returns."""
        if self._process != os.getpid():
            # What the parent put off is the parent's to do.
            self._begin()
        with self._changed:
            number = next(self._numbers)
            self._acts[number] = act
            heapq.heappush(self._waiting, (time.monotonic() + seconds, number))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="seamwatch-guard", daemon=True)
                self._thread.start()
            self._changed.notify()
        return number

    def cancel(self, number: int) -> bool:
        """Do it no more; whether it was still to be done."""
        with self._changed:
            return self._acts.pop(number, None) is not None

    def finish(self) -> None:
        """Do everything now that this process has put off."""
        while self._process == os.getpid():
            with self._changed:
                if not self._acts:
                    return
                _, act = self._acts.popitem()
            act()

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._waiting and self._waiting[0][1] not in self._acts:
                    heapq.heappop(self._waiting)
                if not self._waiting:
                    self._thread = None
                    return
                due, number = self._waiting[0]
                left = due - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                act = self._acts.pop(number)
            act()
