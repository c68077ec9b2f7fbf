"""Delivering: what the pager asks of whoever reaches people, and must know of their channels and of summaries.

Protocols only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from seamwatch.judging.model.facts import Violation
from seamwatch.paging import Attempt, Page, Recipient
from seamwatch.summed import NO_STORE, Summed, unread

if TYPE_CHECKING:
    from seamwatch.documents import Estate


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


Complete = Callable[[Violation, "Estate"], Awaitable[Summed]]
"""Says what a scheduled summary that is due tells beside its sentence, by the documents as they are published.

It answers within a time of its own, however long what it asks may take, with what is known by then.
"""


async def asking_nobody(_due: Violation, _estate: Estate) -> Summed:
    """What is said where there is no store to ask."""
    return unread("the pager has no store to ask", NO_STORE)
