"""Why a decision was allowed: what served it, by which approval, under which contracts, and who answers for it.

The view goes by the rule for approvals but cannot verify a signature: `sinks.store.questions.approved` can.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from seamwatch.instants import format_instant
from sinks.store.questions.rows import Micros, Where, columns, rows, values_of

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Decision:
    """An inference or a tool call, what allowed it, and where it is kept."""

    event_id: str
    event_time: Micros
    type: Literal["inference", "tool_call"]
    system: str
    version: str
    config_digest: str
    use_case: str
    subject: str
    decision: str | None
    score: float | None
    claimed_approval: str | None
    approval_id: str | None
    approved_by: str | None
    approved_at: Micros | None
    expires: Micros | None
    owner: str
    owner_name: str
    contracts: tuple[str, ...]
    """Those in force when it was made, as ``id@version``."""
    escalation: tuple[str, ...]
    topic: str
    partition: int
    offset: int
    revoked_at: Micros | None
    arrived_at: Micros


@dataclass(frozen=True, slots=True)
class Contents:
    """What else an event holds, as texts by name, as it was recorded: what is sealed is sealed."""

    attributes: dict[str, str]
    arguments: dict[str, str]


_DECISIONS: Final = f"SELECT {columns(Decision)} FROM why"
_OF: Final = "WHERE event_id = {event:String} LIMIT 1"
_CONTENTS: Final = {
    "inference": f"SELECT attributes, '{{}}' AS arguments FROM inference {_OF}",
    "tool_call": f"SELECT attributes, arguments FROM tool_call {_OF}",
}


def decision(store: Store, event_id: str) -> Decision | None:
    """The decision or call of this event_id; None when none is on record."""
    found = rows(store, Decision, f"{_DECISIONS} WHERE event_id = {{event:String}}", {"event": event_id})
    return next(iter(found), None)


def decisions(store: Store, event_ids: Collection[str]) -> list[Decision]:
    """Those of these event_ids that are on record, in no order."""
    if not event_ids:
        return []
    sql = f"{_DECISIONS} WHERE event_id IN {{ids:Array(String)}}"
    return rows(store, Decision, sql, {"ids": list(event_ids)})


def within(store: Store, system: str, since: Micros, until: Micros) -> list[Decision]:
    """Those of a system from a time to before another, by their times and ids."""
    where = Where()
    where.equal(system=system)
    where.since("event_time", since)
    where.until("event_time", until)
    order = "ORDER BY event_time, event_id, topic, partition, offset"
    return rows(store, Decision, f"{_DECISIONS} {where} {order}", where.values)


def contents(store: Store, found: Decision) -> Contents:
    """Its attributes, and the arguments of a tool call."""
    (row,) = values_of(store, _CONTENTS[found.type], {"event": found.event_id})
    return Contents(
        {each["key"]: each["value"] for each in row["attributes"]},
        {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in _object(row["arguments"]).items()
        },
    )


def said(found: Decision) -> str:
    """What was decided, in a few words."""
    return f"{found.decision or 'no decision'}" + ("" if found.score is None else f", score {found.score:g}")


def served_by(found: Decision) -> str:
    """What served it: version, configuration and use."""
    parts = (("version", found.version), ("configuration", found.config_digest), ("for", found.use_case))
    return ", ".join(f"{name} {value}" for name, value in parts if value) or "an unnamed version"


def allowed_by(found: Decision, why_not: str | None) -> str:
    """The approval that allowed it, or why none did."""
    if found.approval_id is None:
        claimed = f"; it claims {found.claimed_approval}" if found.claimed_approval else ""
        return f"NONE: {why_not}{claimed}"
    until = f", until {_moment(found.expires)}" if found.expires is not None else ""
    until += f", revoked at {_moment(found.revoked_at)}" if found.revoked_at is not None else ""
    return f"{found.approval_id} by {found.approved_by} on {_moment(found.approved_at) or '?'}{until}"


def owned_by(found: Decision) -> str:
    """Who answers for it."""
    return f"{found.owner_name or found.owner} ({found.owner})" if found.owner else "nobody"


def bound_by(found: Decision) -> str:
    """The contracts that were in force for it."""
    return ", ".join(found.contracts) or "none; the defaults apply"


def _moment(micros: Micros | None) -> str | None:
    return None if micros is None else format_instant(micros)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
