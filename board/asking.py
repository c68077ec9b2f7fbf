"""Asking the store for a page: one read-only connection a thread and role, and a store that is away told as such."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from board.running import Shown
from board.security.origins import RefusedError
from sinks.store.client import Store

_SECONDS: Final = 30.0
"""A person waits no longer for a page."""
_TYPED_SECONDS: Final = 60
_TYPED_AT_ONCE: Final = 4
"""So many statements of people are asked at once by a process: pages need the rest."""


class Stores:
    """The board's connections to the store."""

    def __init__(self, shown: Shown) -> None:
        self._auditor, self._board, self._teams = shown.auditor, shown.board, shown.teams
        self._held = threading.local()
        self._typed = threading.BoundedSemaphore(_TYPED_AT_ONCE)

    @property
    def typed_seconds(self) -> int:
        """How long the store may be silent over what a person has typed."""
        return _TYPED_SECONDS

    @contextmanager
    def typed(self) -> Iterator[Store]:
        """A connection of its own, as the auditor and read-only, for what a person has typed.

        Raises RefusedError while too many are asked at once.
        """
        if not self._typed.acquire(blocking=False):
            raise RefusedError(f"{_TYPED_AT_ONCE} statements are being asked already: try again in a minute", 429)
        try:
            with Store(self._auditor, timeout=_TYPED_SECONDS, reading=True) as store:
                yield store
        finally:
            self._typed.release()

    @contextmanager
    def open(self, *, everything: bool, team: str | None = None) -> Iterator[Store]:
        """The store, asked as the auditor who may read ``everything``, as a team's role, or as the board's.

        The connection is of this thread only.

        What is asked raises UnreachableError while the store is away, StoreError when it refuses.
        """
        url = self._auditor if everything else self._board if team is None else self._teams[team]
        held: dict[str, Store] | None = getattr(self._held, "stores", None)
        if held is None:
            held = self._held.stores = {}
        if url not in held:
            held[url] = Store(url, timeout=_SECONDS, reading=True)
        yield held[url]
