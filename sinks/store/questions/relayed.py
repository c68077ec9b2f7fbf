"""When an answer from elsewhere was last relayed, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Relayed:
    """The latest relayed answer: when the broker had it, and who relayed it."""

    relayed_by: str
    recorded_at: Micros


_LAST: Final = """
SELECT relayed_by, broker_time AS recorded_at FROM answers
WHERE relayed_by IS NOT NULL ORDER BY broker_time DESC LIMIT 1
"""


def last_relayed(store: Store) -> Relayed | None:
    """The latest; None where nothing was ever relayed."""
    return next(iter(rows(store, Relayed, _LAST)), None)
