"""Deliveries: what came of each event, and how many came to what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One event as it goes to the broker."""

    topic: str
    key: bytes
    value: bytes
    event_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """The broker has an event; its position says where."""

    event_id: str
    topic: str
    partition: int
    offset: int


OnDelivery = Callable[[Delivery], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the events given to an emitter so far.

    - ``accepted``: taken for delivery.
    - ``delivered``: the broker has them; events that an earlier process left in the spool count here too.
    - ``spooled``: written to disk because the broker was away; they are delivered later.
    - ``dropped``: lost, because buffer and spool were full.
    - ``refused``: never taken, because they were not right (a wrong type, an unknown field, a broken bound).
    - ``pending``: in the buffer, on their way or in the spool at this moment.
    - ``lost``: taken by earlier processes of the same producer that were killed before they could keep or send them;
      none of this process's own.
    - ``mended``: of those accepted, with U+FFFD in the place of half a character, which no text can carry.
    """

    accepted: int
    delivered: int
    spooled: int
    dropped: int
    refused: int
    pending: int
    lost: int = 0
    mended: int = 0
