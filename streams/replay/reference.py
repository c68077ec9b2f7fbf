"""Reference: approved scores of a history of events, counted by the same measuring code that the judge is fed by.

Counts only; what the counts allow is `seamwatch.statistics.bands`. The store's own counting is
`sinks.store.questions.reference`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from seamwatch.columnar.contents import contents_of_rows
from seamwatch.documents import Contract, Estate
from seamwatch.documents.estate import Term
from seamwatch.durations import DAY, HOUR, compact_duration
from seamwatch.instants import format_instant
from seamwatch.judging.model.facts import Fact
from seamwatch.judging.model.merging import merge_facts
from seamwatch.statistics.histograms import Counted, Reference
from streams.measure.dedup import EveryId
from streams.measure.plan import Plan
from streams.replay.history.reused import Reused
from streams.replay.replay import chunks_of


def references_of(
    counted: Counted, records: Iterable[tuple[str, Mapping[str, Any]]], reused: Reused | None = None
) -> dict[str | None, Reference]:
    """The reference of each cohort, or under None of all scores together; empty when there is no score.

    ``records`` are (record type, record) pairs in any order; ``counted`` names a period. ``reused`` takes the decisions
    that do not count because another one had their id.
    """
    assert counted.start is not None
    assert counted.to is not None
    plan, once = Plan(_estate(counted)), EveryId()
    windows: dict[tuple[str | None, int], Fact] = {}
    for record_type, whole in chunks_of(records):
        if record_type != "inference":
            continue
        frame = whole.filter(
            pl.col("system") == counted.system,
            pl.col("event_time").is_between(counted.start, counted.to, closed="left"),
        )
        fresh, other = once.look(frame["event_id"], contents_of_rows(frame))
        if reused is not None:
            reused.add(frame.filter(other))
        frame = frame.filter(fresh)
        for fact in plan.facts("inference", frame):
            key = (fact.slice, fact.window_start)
            windows[key] = merge_facts(windows[key], fact) if key in windows else fact
    found: dict[str | None, Reference] = {}
    for (part, start), fact in sorted(windows.items(), key=lambda item: item[0][1]):
        # A window that the period cuts belongs to neither side of it, as in the judge.
        if counted.start <= start and fact.window_end <= counted.to:
            known = found.get(part) or Reference.empty(counted.bins, absence=True)
            missing = fact.count - sum(fact.histogram)
            found[part] = known.with_window(start % DAY // HOUR, fact.histogram, missing)
    return {part: known for part, known in found.items() if any(known.windows)}


def _estate(counted: Counted) -> Estate:
    assert counted.start is not None
    assert counted.to is not None
    period = {"from": format_instant(counted.start), "to": format_instant(counted.to)}
    clause = {
        "id": "counted",
        "kind": "distribution",
        "reference": {"period": period, "version": counted.version},
        "range": list(counted.range),
        "bins": counted.bins,
        "window": compact_duration(counted.window),
        "by": counted.by,
        "distinct": counted.distinct,
        "where": None if counted.where is None else counted.where.text,
        "lifetime": compact_duration(100 * counted.window),
        "unjudged": None,  # scores are counted here, and nothing is judged
    }
    contract = Contract.model_validate(
        {
            "kind": "Contract",
            "id": "reference",
            "version": "1",
            "seam": "operations",
            "covers": ["*"],
            "parties": {"provider": {}, "consumer": {}},
            "clauses": [clause],
        }
    )
    return Estate(terms=(Term(contract),))
