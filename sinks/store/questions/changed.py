"""What changed about a system: what was announced or took effect in a stretch of time, and what served since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, columns, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Changed:
    """One announcement, or the withdrawal of one."""

    event_time: Micros
    system: str
    change_id: str
    kind: str
    from_value: str | None
    to_value: str | None
    config_digest: str | None
    effective_at: Micros
    summary: str
    announced_by: str
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Served:
    """A version with its configuration, and since when, until when and how often it was seen in traffic."""

    system: str
    version: str
    config_digest: str | None
    events: int
    first_seen: Micros
    last_seen: Micros


_SINCE: Final = "fromUnixTimestamp64Micro({since:Int64}, 'UTC')"
_UNTIL: Final = "fromUnixTimestamp64Micro({until:Int64}, 'UTC')"
_CHANGED: Final = f"""
SELECT {columns(Changed)} FROM changes
WHERE system = {{system:String}}
    AND ((event_time >= {_SINCE} AND event_time <= {_UNTIL}) OR (effective_at >= {_SINCE} AND effective_at <= {_UNTIL}))
ORDER BY event_time DESC, event_id LIMIT {{most:UInt32}}
"""
_SERVED: Final = """
SELECT
    CAST(system, 'String') AS system, version, config_digest, sum(events) AS events, min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM traffic WHERE system = {system:String} GROUP BY system, version, config_digest ORDER BY last_seen DESC, version
"""
_MOST: Final = 100


def changed(store: Store, system: str, since: Micros, until: Micros) -> list[Changed]:
    """What was announced of it, or was to take effect, between two times, the latest first; at most 100."""
    values = {"system": system, "since": str(since), "until": str(until), "most": _MOST}
    return rows(store, Changed, _CHANGED, values)


def served(store: Store, system: str) -> list[Served]:
    """Every version with every configuration that was seen of it, the latest seen first."""
    return rows(store, Served, _SERVED, {"system": system})


def began(found: list[Served], since: Micros, until: Micros) -> list[Served]:
    """Those that served for the first time between two times; not what has no name, as data of no version."""
    return [one for one in found if (one.version or one.config_digest) and since <= one.first_seen <= until]
