"""Service: what each file that reaches a notification service offers, and what it is handed. Protocol only.

A service sends once, and blocks for about as long as it is given; trying again, time-outs and not holding up others are
`sinks.channels.channels`', once for all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from seamwatch.delivering import Manner
from seamwatch.paging import Page


class ChannelError(Exception):
    """A channel did not take a page; the words name no secret.

    ``after``: the service asked to be left alone for so many seconds. ``taken``: the ids of those violations of the
    page that it took nonetheless.
    """

    def __init__(self, words: str, *, after: float | None = None, taken: Collection[str] = ()) -> None:
        super().__init__(words)
        self.after = after
        self.taken = frozenset(taken)


class UnusableError(ChannelError):
    """A channel that can take none, so that trying again is of no use."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One try: a page for a person, by a URL, whose answers may take so many seconds each.

    ``published`` is the URL before the environment's part was filled in: what came from there is not told.
    ``reference`` is the service's own name for the message that told of this before, if it gave one. ``api`` is the
    address of the service's interface where it is not the service's own.
    """

    url: str
    published: str
    page: Page
    seconds: float
    person: str = ""
    reference: str | None = None
    api: str | None = None


class Service(Protocol):
    """One notification service. An instance of it is what the file of the service offers as ``SERVICE``."""

    @property
    def schemes(self) -> frozenset[str]:
        """The schemes of its URLs, in small letters."""
        ...

    @property
    def manner(self) -> Manner:
        """How its channels are."""
        ...

    def unusable(self, url: str, *, given: bool) -> str | None:
        """Why no page can go to a URL as published; None when nothing speaks against it.

        ``given``: the environment gives a part of it, which is not there to be looked at.
        """
        ...

    def send(self, sending: Sending) -> str | None:
        """Send once; returns the service's own name for the message, if it gives one. Raises ChannelError."""
        ...
