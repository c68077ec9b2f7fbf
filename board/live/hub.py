"""The hub: passes on that something has changed to every page that is open. Holds no content, so that pages are small.

A page that hears of a change asks for its fragment again, with its own viewer's rights.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final

_WAITING: Final = 64


@dataclass(frozen=True, slots=True)
class Change:
    """Something that has changed: ``name`` says what (``episodes``, ``suspended``, ``documents``, ``state``).

    ``episodes-recorded`` and ``documents-recorded`` come once the store may have it too.
    """

    name: str
    of: str = ""


@dataclass(eq=False, slots=True)
class _Listener:
    loop: asyncio.AbstractEventLoop
    changes: asyncio.Queue[Change]


@dataclass(slots=True)
class Hub:
    """The pages that are open in this process."""

    _listeners: set[_Listener] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._listeners)

    def tell(self, change: Change) -> None:
        """Tell all pages; may be called by any thread."""
        for listener in tuple(self._listeners):
            listener.loop.call_soon_threadsafe(_put, listener.changes, change)

    async def changes(self, quiet: float) -> AsyncGenerator[Change | None]:
        """The changes from now on; None whenever none came for ``quiet`` seconds. Changes that pile up are one."""
        listener = _Listener(asyncio.get_running_loop(), asyncio.Queue(_WAITING))
        self._listeners.add(listener)
        try:
            while True:
                try:
                    yield await asyncio.wait_for(listener.changes.get(), quiet)
                except TimeoutError:
                    yield None
        finally:
            self._listeners.discard(listener)


def _put(changes: asyncio.Queue[Change], change: Change) -> None:
    if changes.full():
        changes.get_nowait()  # whoever is so slow asks for everything again with the next
    changes.put_nowait(change)
