"""Delivering: what the pager asks of whoever reaches people, and must know of their channels. Protocols only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from seamwatch.paging import Attempt, Page, Recipient


class Deliver(Protocol):
    """Tells a recipient, by each of their channels; yields each channel's last attempt as soon as it is known.

    ``only`` names the channels to tell by, each with its reference to what was told before, where it gave one. Raises
    nothing for a channel that fails: that is an attempt's result.
    """

    def __call__(
        self, recipient: Recipient, page: Page, only: Mapping[str, str | None] | None = None
    ) -> AsyncIterator[Attempt]:
        """Start telling."""
        ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How a channel is: whether it keeps incidents, which must be closed; how often it wants to hear of what is open.

    ``every`` is in seconds; None where telling once is enough.
    """

    keeps_incidents: bool = False
    every: float | None = None


MannerOf = Callable[[Recipient, str], Manner]
"""How the channel of a recipient is that has this label."""


def by_the_way(_recipient: Recipient, _channel: str) -> Manner:
    """The manner of a channel that is told once and keeps nothing."""
    return Manner()
