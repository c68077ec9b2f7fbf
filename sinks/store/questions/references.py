"""What on record a reference could be that somebody types: a violation, a change or a summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from seamwatch.judging.patterns.announcements import change_id_of
from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from sinks.store.client import Store

SHORTEST: Final = 6
"""So many characters of a violation's or a summary's id are needed for it to be found by its beginning."""


@dataclass(frozen=True, slots=True)
class Referred:
    """One thing that a reference could be; ``reference`` is its whole id."""

    of: Literal["violation", "change", "summary"]
    reference: str
    system: str
    summary: str
    resolved_at: Micros | None
    """Since when a violation is over."""


_REFERRED: Final = """
SELECT 'violation' AS of, violation_id AS reference, CAST(system, 'String') AS system, summary, resolved_at
FROM violations WHERE violation_id = {reference:String}
OR (length({reference:String}) >= {shortest:UInt8} AND startsWith(violation_id, {reference:String}))
UNION ALL SELECT 'change', change_id, CAST(system, 'String'), argMax(summary, event_time), NULL
FROM config_change WHERE NOT withdrawn AND change_id IN ({reference:String}, {change:String})
GROUP BY change_id, system
UNION ALL SELECT DISTINCT 'summary', notice_id, CAST(system, 'String'), summary, NULL
FROM notice WHERE type = 'summary' AND kind NOT IN ('withdrawn', 'follow_up') AND (notice_id = {reference:String}
OR (length({reference:String}) >= {shortest:UInt8} AND startsWith(notice_id, {reference:String})))
"""


def referred(store: Store, reference: str) -> list[Referred]:
    """All that it could be; only that of this very id where there is one."""
    given = {"reference": reference, "change": change_id_of(reference), "shortest": SHORTEST}
    found = rows(store, Referred, _REFERRED, given)
    return [one for one in found if one.reference == reference] or found
