"""Scope: which records a dossier is about, as conditions on the tables that hold them.

What a system did and what was said of it in the time; violations that were open in it, with who was told; and what is
published of the system, its contracts and the people in them, at any time. Conditions only: nothing is asked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Scope:
    """A system and a time from ``start`` to before ``end``, in microseconds, UTC."""

    system: str
    start: int
    end: int

    @property
    def values(self) -> dict[str, Any]:
        """The parameters that the conditions name."""
        return {"system": self.system, "since": str(self.start), "until": str(self.end)}


_SINCE: Final = "fromUnixTimestamp64Micro({since:Int64}, 'UTC')"
_UNTIL: Final = "fromUnixTimestamp64Micro({until:Int64}, 'UTC')"
_SYSTEM: Final = "system = {system:String}"


def _in_time(column: str) -> str:
    return f"{column} >= {_SINCE} AND {column} < {_UNTIL}"


_EPISODES: Final = (
    f"SELECT violation_id FROM violations WHERE {_SYSTEM} AND opened_at < {_UNTIL} "
    f"AND (resolved_at IS NULL OR resolved_at >= {_SINCE})"
)
_NOTICES: Final = f"SELECT notice_id FROM notice WHERE {_SYSTEM} AND {_in_time('detected_at')}"
_EVENTS: Final = f"{_SYSTEM} AND {_in_time('event_time')}"
_ANSWERS: Final = f"{_SYSTEM} AND ({_in_time('event_time')} OR reference IN ({_EPISODES}))"
_WITH_SPECIAL: Final = r"'([.+(){}|^$\\[\\]\\\\])', '\\\\\\1'"
_EXPRESSION: Final = f"replaceAll(replaceAll(replaceRegexpAll(pattern, {_WITH_SPECIAL}), '*', '.*'), '?', '.')"
_CONTRACTS: Final = (
    "SELECT id FROM document WHERE kind = 'Contract' AND arrayExists(pattern -> match({system:String}, "
    f"concat('^', {_EXPRESSION}, '$')), JSONExtract(document, 'covers', 'Array(String)'))"
)
_OUTAGES: Final = (
    f"SELECT outage_id FROM outage GROUP BY outage_id HAVING min(since) < {_UNTIL} "
    f"AND (countIf(until IS NOT NULL) = 0 OR max(until) >= {_SINCE})"
)

OF_SYSTEM: Final[dict[str, str]] = {
    "inference": _EVENTS,
    "tool_call": _EVENTS,
    "outcome": _EVENTS,
    "dataset_refresh": _EVENTS,
    "attestation": f"{_SYSTEM} AND ({_in_time('event_time')} OR splitByChar('/', subject)[-1] IN ({_EPISODES}))",
    "config_change": f"{_SYSTEM} AND (({_in_time('event_time')}) OR ({_in_time('effective_at')}))",
    "acknowledgement": _ANSWERS,
    "verdict": f"acknowledgement_id IN (SELECT event_id FROM acknowledgement WHERE {_ANSWERS})",
    "violation": f"violation_id IN ({_EPISODES})",
    "notice": f"{_SYSTEM} AND {_in_time('detected_at')}",
    "page": f"violation_id IN ({_EPISODES}) OR violation_id IN ({_NOTICES})",
    # What was suspended before the time may have been so in it; there are few of these.
    "suspension": f"{_SYSTEM} AND event_time < {_UNTIL}",
    "suspended": f"{_SYSTEM} AND since < {_UNTIL}",
    "outage": f"outage_id IN ({_OUTAGES})",
}
"""By table: which of its rows are about the system, or about what kept anybody from watching it."""

ERASED: Final = "key_id IN {erased:Array(String)}"
DOCUMENTS: Final = (
    f"(kind = 'System' AND id = {{system:String}}) OR (kind = 'Contract' AND id IN ({_CONTRACTS})) "
    "OR (kind = 'Person' AND id IN {people:Array(String)})"
)
"""Publications and withdrawals of the system's documents, whenever they were."""

_NAMING: Final = {
    "attestation": "person",
    "config_change": "announced_by",
    "acknowledgement": "person",
    "dataset_refresh": "attested_by",
    "violation": "person",
    "notice": "person",
    "page": "person",
    "suspension": "person",
    "suspended": "person",
}

NAMED: Final = " UNION DISTINCT ".join(
    f"SELECT DISTINCT ifNull(CAST({column}, 'Nullable(String)'), '') AS person FROM {table} WHERE {OF_SYSTEM[table]}"
    for table, column in sorted(_NAMING.items())
)
"""Whom the records name."""
IN_DOCUMENTS: Final = f"SELECT DISTINCT document FROM document WHERE NOT retired AND ({DOCUMENTS})"
"""What is published, to be looked through for people."""
