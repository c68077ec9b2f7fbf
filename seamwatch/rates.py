"""Rates: how often somebody may try something, by where they come from, in one process."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from typing import Final

_MOST_CLIENTS: Final = 10_000


class Rate:
    """At most ``most`` tries in ``seconds`` a client; the least recent clients are forgotten beyond 10,000."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def allows(self, client: str) -> bool:
        """Count a try; whether it is allowed."""
        now = time.monotonic()
        tries = self._tries.setdefault(client, deque(maxlen=self._most))
        self._tries.move_to_end(client)
        while len(self._tries) > _MOST_CLIENTS:
            self._tries.popitem(last=False)
        if len(tries) == self._most and tries[0] > now - self._seconds:
            return False
        tries.append(now)
        return True
