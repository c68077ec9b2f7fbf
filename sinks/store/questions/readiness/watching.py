"""What the clauses on scores would find within 48 hours, by their own bands and the rate at which scores come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.clauses.distribution import Distribution
from seamwatch.durations import DAY, compact_duration
from seamwatch.expressions.sql import clickhouse
from seamwatch.instants import format_instant
from seamwatch.statistics.histograms import Counted, Period, Reference
from sinks.store.questions.drift import learning
from sinks.store.questions.readiness.known import Watched
from sinks.store.questions.readiness.record import WITHIN
from sinks.store.questions.reference import references_of
from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from seamwatch.documents import Contract, Estate
    from seamwatch.statistics.ecusum import Band
    from sinks.store.client import Store
    from sinks.store.questions.inventory import Running

RATE_OF: Final = 7 * DAY
"""The rate is that of so long."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many scores a system gave, in how many windows; ``cohort`` None where a clause does not look at each."""

    system: str
    cohort: str | None
    scores: int
    windows: int


_RATES: Final = """
SELECT
    CAST(system, 'String') AS system, {cohort} AS cohort, uniq(event_id) AS scores,
    uniqExact(intDiv(toUnixTimestamp64Micro(event_time), {{window:Int64}})) AS windows
FROM inference
WHERE system IN {{systems:Array(String)}} AND score IS NOT NULL{where}
    AND event_time >= fromUnixTimestamp64Micro({{since:Int64}}, 'UTC')
    AND event_time < fromUnixTimestamp64Micro({{until:Int64}}, 'UTC')
GROUP BY system, cohort
"""


def watched(
    store: Store,
    estate: Estate,
    systems: Mapping[str, Running | None],
    now: Micros,
    hidden: AbstractSet[str] = frozenset(),
) -> dict[str, list[Watched]]:
    """By system, what each clause on its scores would find; one query for each clause, whatever it covers.

    ``hidden``: fields of events that who asks may not be told, nor anything that is counted by them.
    """
    over: dict[tuple[str, str], tuple[Distribution, list[str]]] = {}
    for system in systems:
        for contract, clause in _clauses(estate.contracts_for(system, now)):
            over.setdefault((contract.key, clause.id), (clause, []))[1].append(system)
    found: dict[str, list[Watched]] = {system: [] for system in systems}
    for (contract_key, _), (clause, those) in over.items():
        name = f"{contract_key.removeprefix('Contract/')}/{clause.id}"
        if clause.where is not None and hidden & clause.where.columns:
            for system in those:
                found[system].append(Watched(name, unknown="it counts by what you may not see"))
            continue
        rates = _rates(store, clause, those, now)
        for system in those:
            bands, rests_on = _bands(store, clause, system, systems[system])
            own = [one for one in rates if one.system == system]
            found[system].append(_watched(name, clause, own, bands, rests_on))
    return found


def _clauses(contracts: Sequence[Contract]) -> Iterator[tuple[Contract, Distribution]]:
    for contract in contracts:
        for clause in contract.clauses:
            if isinstance(clause, Distribution):
                yield contract, clause


def _rates(store: Store, clause: Distribution, systems: Sequence[str], now: Micros) -> list[Rate]:
    values = {"window": clause.window, "systems": list(systems), "since": str(now - RATE_OF), "until": str(now)}
    where = "" if clause.where is None else f" AND ({clickhouse(clause.where, 'inference')})"
    if clause.reference.of_version is not None:
        where += " AND version = {version:String}"
        values["version"] = clause.reference.of_version
    cohort = "CAST(cohort, 'Nullable(String)')" if clause.by else "CAST(NULL, 'Nullable(String)')"
    return rows(store, Rate, _RATES.format(cohort=cohort, where=where), values)


def _bands(
    store: Store, clause: Distribution, system: str, running: Running | None
) -> tuple[dict[str | None, tuple[Band, ...]] | None, str]:
    """The bands by cohort (None: of any), and what they are by; without bands why there are none."""
    from seamwatch.statistics.power import FEWEST, least_band

    reference = clause.reference
    if reference.histograms is not None:
        known = {one.cohort: one.reference for one in reference.histograms.slices}
        return _by_reference(clause, known), "the reference in its file"
    if running is None or learning([clause], running):
        return None, "it has no complete reference yet, and judges nothing until then"
    if reference.period is not None:
        found = references_of(store, counted_in(clause, system, reference.period))
        if not found:
            return None, "no score of the period of its reference is on record"
        return _by_reference(clause, found), "the scores of its period"
    band = least_band(clause.bins, floor=clause.floor, alpha=clause.alpha, sets=_sets(clause))
    return {None: (band,)}, f"a bound for the fewest first scores, {FEWEST:,}, were they independent"


def counted_in(clause: Distribution, system: str, period: Period) -> Counted:
    """By which the approved scores of a period are counted, as the clause says; written as documents write it."""
    return Counted.model_validate(
        {
            "system": system, "version": clause.reference.of_version, "from": format_instant(period.start),
            "to": format_instant(period.to), "range": clause.range, "bins": clause.bins,
            "window": compact_duration(clause.window), "by": clause.by, "distinct": clause.distinct,
            "where": clause.where,
        }
    )  # fmt: skip


def _by_reference(clause: Distribution, known: Mapping[str | None, Reference]) -> dict[str | None, tuple[Band, ...]]:
    from seamwatch.statistics.bands import bands_of

    cycle = clause.daily_cycle == "auto"
    return {
        cohort: bands_of(one, floor=clause.floor, alpha=clause.alpha, daily_cycle=cycle, sets=_sets(clause))
        for cohort, one in known.items()
    }


def _sets(clause: Distribution) -> int:
    from seamwatch.statistics.ecusum import sets_of

    return sets_of(clause.bins) + (sets_of(2) if clause.missing else 0)


def _watched(
    name: str,
    clause: Distribution,
    rates: Sequence[Rate],
    bands: Mapping[str | None, tuple[Band, ...]] | None,
    rests_on: str,
) -> Watched:
    """The best that it finds in any of its cohorts: a swap is one of all of them."""
    from seamwatch.statistics.power import least_move

    if bands is None:
        return Watched(name, unknown=rests_on)
    if not rates:
        return Watched(name, unknown="no score came in the last 7 days")
    share, found = WITHIN / RATE_OF, []
    for rate in rates:
        of = bands.get(rate.cohort, bands.get(None))
        if of is not None:
            move = least_move(
                of, clause.bins, scores=rate.scores * share, windows=int(rate.windows * share), alpha=clause.alpha,
                lifetime=clause.lifetime // clause.window, sets=_sets(clause),
            )  # fmt: skip
            found.append((1.0 if move is None else move, move, rate.scores * share))
    if not found:
        return Watched(name, unknown="no cohort of the last 7 days is in its reference")
    _, move, scores = min(found, key=lambda one: one[0])
    return Watched(name, move=move, scores=scores, rests_on=rests_on)
