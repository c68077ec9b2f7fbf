"""The five signals of every system: latency, accuracy, drift, abuse and fallback, by version and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Where, columns, count, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Signals:
    """A version of a system on one day (UTC, of event time); shares 0..1, None of what decides nothing."""

    system: str
    version: str
    day: date
    events: int
    calls: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    outcomes: int
    brier: float | None
    open_drift_episodes: int
    abuse_share: float | None
    fallback_share: float | None


_SIGNALS: Final = f"SELECT {columns(Signals)} FROM five_signals"
_UNMATCHED: Final = """
SELECT count() AS found FROM outcomes {where} AND (system, inference_id) NOT IN (
    SELECT system, event_id FROM inference WHERE event_id IN (SELECT inference_id FROM outcome {where})
)
"""


def signals(store: Store, first: date, system: str | None = None) -> list[Signals]:
    """Those of each day since the first, the latest day of each system first."""
    where = Where()
    where.add("day >= toDate({first:String})", first=first.isoformat())
    where.equal(system=system)
    return rows(store, Signals, f"{_SIGNALS} {where} ORDER BY system, day DESC, version", where.values)


def unmatched(store: Store, first: date, system: str | None = None) -> int:
    """How many outcomes since a day are of no decision that is on record: no accuracy counts them."""
    where = Where()
    where.add("event_time >= toDate({first:String})", first=first.isoformat())
    where.equal(system=system)
    return count(store, _UNMATCHED.format(where=where), where.values)


def latency(one: Signals) -> str:
    """Median, 95th and 99th percentile of its latency."""
    p50, p95, p99 = one.latency_p50_ms, one.latency_p95_ms, one.latency_p99_ms
    if p50 is None or p50 != p50:  # NaN where no event carried one
        return "not reported"
    return f"{p50:.0f} / {p95:.0f} / {p99:.0f} ms"


def accuracy(one: Signals) -> str:
    """Its accuracy as Brier score, and by how many outcomes."""
    return f"{one.brier:.3f} of {one.outcomes:,}" if one.outcomes else "no outcomes yet"


def share(value: float | None) -> str:
    """A share of decisions as per cent."""
    return "decides nothing" if value is None else f"{value:.2%}"
