"""What was announced under a change_id, and what of that stands.

Whether a withdrawal counts is asked of the rule that the stages judge by.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from seamwatch.judging.patterns.announcements import announced, withdrawn
from seamwatch.signatures import change_digest
from sinks.store.questions.rows import count, values_of

if TYPE_CHECKING:
    from seamwatch.judging.model.seam import Seam
    from seamwatch.judging.patterns.announcements import Announced
    from sinks.store.client import Store

_RECORDS: Final = """
SELECT event_id, event_time, environment, system, change_id, kind, from_value, to_value, config_digest, effective_at,
    summary, announced_by, withdrawn,
    arrayMap(s -> s.1, signatures) AS people, arrayMap(s -> s.2, signatures) AS key_ids,
    arrayMap(s -> s.3, signatures) AS signed
FROM changes
"""
_OLDEST_FIRST: Final = "ORDER BY changes.event_time, event_id"
_ANNOUNCEMENTS: Final = f"{_RECORDS} WHERE change_id = {{change:String}} {_OLDEST_FIRST}"
_OF_CHANGES: Final = f"{_RECORDS} WHERE change_id IN {{changes:Array(String)}} {_OLDEST_FIRST}"
_NAMING: Final = f"""
{_RECORDS} WHERE change_id IN (
    SELECT change_id FROM changes
    WHERE NOT withdrawn AND (to_value IN {{values:Array(String)}} OR config_digest IN {{values:Array(String)}})
) {_OLDEST_FIRST}
"""
_NEWEST: Final = """
SELECT change_id FROM changes WHERE NOT withdrawn
GROUP BY change_id ORDER BY max(changes.event_time) DESC, change_id LIMIT {limit:UInt64} OFFSET {offset:UInt64}
"""
_HOW_MANY: Final = "SELECT uniqExact(change_id) FROM changes WHERE NOT withdrawn"


def announcements(store: Store, change_id: str) -> list[dict[str, Any]]:
    """All events under a change_id, withdrawals too, as records of the wire with times in micros; oldest first."""
    return [_record(row) for row in values_of(store, _ANNOUNCEMENTS, {"change": change_id})]


def of_changes(store: Store, change_ids: Collection[str]) -> list[dict[str, Any]]:
    """The same of several changes."""
    return [_record(row) for row in values_of(store, _OF_CHANGES, {"changes": list(change_ids)})] if change_ids else []


def naming(store: Store, values: Collection[str]) -> list[dict[str, Any]]:
    """The same of all changes that announce one of these versions or digests."""
    return [_record(row) for row in values_of(store, _NAMING, {"values": list(values)})] if values else []


def newest(store: Store, limit: int, offset: int = 0) -> list[str]:
    """So many change_ids, what was announced last first, after ``offset`` of them."""
    return [row["change_id"] for row in values_of(store, _NEWEST, {"limit": limit, "offset": offset})]


def number(store: Store) -> int:
    """How many changes were announced."""
    return count(store, _HOW_MANY)


def _record(row: dict[str, Any]) -> dict[str, Any]:
    signed = zip(row.pop("people"), row.pop("key_ids"), row.pop("signed"), strict=True)
    signatures = [{"person": who, "key_id": key, "signature": signature} for who, key, signature in signed]
    return row | {"signatures": signatures, "withdrawn": bool(row["withdrawn"])}


def standing(seam: Seam, records: Sequence[dict[str, Any]]) -> Announced:
    """What of these stands for a contract: announced, and not withdrawn since."""
    known: Announced = ()
    for record in records:
        known = (withdrawn(seam, known, record) if record["withdrawn"] else announced(known, record))[0]
    return known


def newest_of(records: Sequence[dict[str, Any]], known: Announced) -> dict[str, Any] | None:
    """The announcement that was made last, of those that stand; None when none does."""
    stand = {said.digest for said in known}
    said = [record for record in records if not record["withdrawn"] and change_digest(record) in stand]
    first: dict[str, dict[str, Any]] = {}
    for record in said:
        # What is only repeated later was announced when it first was.
        first.setdefault(change_digest(record), record)
    return max(first.values(), key=lambda record: (record["event_time"], record["event_id"]), default=None)
