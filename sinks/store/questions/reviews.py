"""Which reviews of a system were attested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Review:
    """An attested review; whether it counts depends on who attested it, and on their signature."""

    system: str
    subject: str
    kind: str
    metric: str | None
    value: float | None
    person: str
    evidence_uri: str | None
    key_id: str | None
    signature: str | None
    event_time: Micros
    statement: str | None = None


_REVIEWS: Final = f"SELECT {columns(Review)} FROM attestation WHERE system = {{system:String}} AND kind = 'review'"


def reviews(store: Store, system: str) -> list[Review]:
    """The attested reviews of a system, in no order."""
    return rows(store, Review, _REVIEWS, {"system": system})


_ALL: Final = f"SELECT {columns(Review)} FROM attestation WHERE kind = 'review' ORDER BY event_time"


def all_reviews(store: Store) -> list[Review]:
    """The attested reviews of all systems, the oldest first."""
    return rows(store, Review, _ALL)
